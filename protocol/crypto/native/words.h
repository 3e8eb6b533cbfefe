/* Numbers of 64-bit words, the lowest first, and their limbs. */
#ifndef DELTAML_WORDS_H
#define DELTAML_WORDS_H

#include <stddef.h>

#include "lanes.h"

/* −n^−1 modulo 2^52 by Newton's iteration: each step doubles the bits that are right, of which an odd n has three. */
static inline uint64_t negative_inverse(uint64_t n) {
  uint64_t inverse = n;
  for (int step = 0; step < 5; step++) inverse *= 2 - n * inverse;
  return (0 - inverse) & LIMB_MASK;
}

/* Limb `at` of a number of 64-bit words, lowest first. */
static inline uint64_t limb_of(const uint64_t *words, size_t count, size_t at) {
  size_t bit = at * LIMB_BITS, word = bit / 64, shift = bit % 64;
  uint64_t low = word < count ? words[word] >> shift : 0;
  uint64_t high = shift > 64 - LIMB_BITS && word + 1 < count ? words[word + 1] << (64 - shift) : 0;
  return (low | high) & LIMB_MASK;
}

/* Add a limb's bits to words that have zeros there; what does not fit into so many words is zero. */
static inline void put_limb(uint64_t *words, size_t count, size_t at, uint64_t limb) {
  size_t word = at * LIMB_BITS / 64, shift = at * LIMB_BITS % 64;
  if (word < count) words[word] |= limb << shift;
  if (shift > 64 - LIMB_BITS && word + 1 < count) words[word + 1] |= limb >> (64 - shift);
}

static inline void write_limbs(uint64_t *words, size_t count, const uint64_t *limbs, size_t many) {
  for (size_t at = 0; at < count; at++) words[at] = 0;
  for (size_t at = 0; at < many; at++) put_limb(words, count, at, limbs[at]);
}

#endif
