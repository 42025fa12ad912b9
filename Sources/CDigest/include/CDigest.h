// SHA-256 (FIPS 180-4) of two messages of the same length at a time. The processor's instructions for it wait for each
// other within one message; the other message's fill the gaps, which takes half the time for both.
#ifndef CDIGEST_H
#define CDIGEST_H

#include <stddef.h>
#include <stdint.h>

struct digest_pair {
    uint32_t first[8];
    uint32_t second[8];
    /// Bytes of each.
    uint64_t length;
};

/// Whether this processor has the instructions; without them nothing else here may be called.
int digest_has_pairs(void);

void digest_pair_begin(struct digest_pair *pair);

/// Adds `count` bytes to each, a multiple of 64.
void digest_pair_add(struct digest_pair *pair, const void *first, const void *second, size_t count);

/// Gives 32 bytes of each.
void digest_pair_end(struct digest_pair *pair, unsigned char *first, unsigned char *second);

#endif
