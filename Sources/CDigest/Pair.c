#include "CDigest.h"

#include <string.h>

void digest_pair_begin(struct digest_pair *pair) {
    static const uint32_t begin[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    };
    memcpy(pair->first, begin, sizeof begin);
    memcpy(pair->second, begin, sizeof begin);
    pair->length = 0;
}

static void put(const uint32_t *state, unsigned char *digest) {
    for (int index = 0; index < 8; index++) {
        for (int byte = 0; byte < 4; byte++) digest[4 * index + byte] = (unsigned char)(state[index] >> (24 - 8 * byte));
    }
}

void digest_pair_end(struct digest_pair *pair, unsigned char *first, unsigned char *second) {
    // One bit, zeros, and the length in bits: the same for both.
    unsigned char end[64] = {0x80};
    uint64_t bits = pair->length * 8;
    for (int byte = 0; byte < 8; byte++) end[56 + byte] = (unsigned char)(bits >> (56 - 8 * byte));
    digest_pair_add(pair, end, end, sizeof end);
    put(pair->first, first);
    put(pair->second, second);
}

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

int digest_has_pairs(void) {
    unsigned int a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1 << 19)) || !(c & (1 << 9))) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1 << 29));
}

#define DIGEST __attribute__((target("sha,sse4.1,ssse3")))

/// One message's state as the instructions have it, A B E F and C D G H, and sixteen words of it.
struct lane {
    __m128i abef, cdgh, words[4];
};

DIGEST static inline void load(struct lane *lane, const uint32_t *state) {
    __m128i dcba = _mm_loadu_si128((const __m128i *)state);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)(state + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
    __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    lane->abef = _mm_alignr_epi8(cdab, efgh, 8);
    lane->cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
}

DIGEST static inline void store(const struct lane *lane, uint32_t *state) {
    __m128i feba = _mm_shuffle_epi32(lane->abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(lane->cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

DIGEST static inline void read_block(struct lane *lane, const unsigned char *bytes) {
    const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    for (int index = 0; index < 4; index++) {
        __m128i four = _mm_loadu_si128((const __m128i *)(bytes + 16 * index));
        lane->words[index] = _mm_shuffle_epi8(four, order);
    }
}

/// Four steps, and the words of sixteen steps later.
DIGEST static inline void step(struct lane *lane, int number) {
    __m128i four = lane->words[number & 3];
    __m128i sum = _mm_add_epi32(four, _mm_load_si128((const __m128i *)(constants + 4 * number)));
    lane->cdgh = _mm_sha256rnds2_epu32(lane->cdgh, lane->abef, sum);
    lane->abef = _mm_sha256rnds2_epu32(lane->abef, lane->cdgh, _mm_shuffle_epi32(sum, 0x0e));
    if (number >= 12) return;
    __m128i last = lane->words[(number + 3) & 3];
    __m128i next = _mm_sha256msg1_epu32(four, lane->words[(number + 1) & 3]);
    next = _mm_add_epi32(next, _mm_alignr_epi8(last, lane->words[(number + 2) & 3], 4));
    lane->words[number & 3] = _mm_sha256msg2_epu32(next, last);
}

DIGEST void digest_pair_add(struct digest_pair *pair, const void *first, const void *second, size_t count) {
    const unsigned char *here = first, *there = second;
    struct lane one, two;
    load(&one, pair->first);
    load(&two, pair->second);
    for (size_t done = 0; done + 64 <= count; done += 64) {
        __m128i before[4] = {one.abef, one.cdgh, two.abef, two.cdgh};
        read_block(&one, here + done);
        read_block(&two, there + done);
#pragma GCC unroll 16
        for (int number = 0; number < 16; number++) {
            step(&one, number);
            step(&two, number);
        }
        one.abef = _mm_add_epi32(one.abef, before[0]);
        one.cdgh = _mm_add_epi32(one.cdgh, before[1]);
        two.abef = _mm_add_epi32(two.abef, before[2]);
        two.cdgh = _mm_add_epi32(two.cdgh, before[3]);
    }
    store(&one, pair->first);
    store(&two, pair->second);
    pair->length += count;
}

#else

int digest_has_pairs(void) { return 0; }

void digest_pair_add(struct digest_pair *pair, const void *first, const void *second, size_t count) {
    (void)first;
    (void)second;
    pair->length += count;
}

#endif
