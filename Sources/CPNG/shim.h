#include <png.h>

/// PNG_IMAGE_PNG_SIZE_MAX, a macro: no file of the image is larger.
static inline size_t png_largest_file(png_image image) { return PNG_IMAGE_PNG_SIZE_MAX(image); }
