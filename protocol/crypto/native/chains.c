/* What is called from outside for one number modulo n² at a time, checked at the door.
 *
 * n is `words` words of 64 bits, the lowest first, and `start` below 2n; `words` is 16 to 64. An element is
 * halves_words(words) words: the limbs of its low half, then those of its high one. Each function returns 0, or one of
 * kernel.c's reasons with `out` untouched. Buffers must be as long as the lengths beside them say; then nothing that is
 * in them makes it read or write beyond them, and limbs that are none make a wrong number, not a wrong address. Time
 * follows from lengths and counts alone.
 */
#include "halves.h"

#include <string.h>

#include "words.h"

#define EXPORT __attribute__((visibility("default")))

#define LEAST_WORDS 16
#define MOST_WORDS_OF_ROOT 64
#define MOST_POSITIONS (1u << 16)
#define MOST_POWERS 128

enum { DONE, BAD_LENGTH, BAD_MODULUS };

static size_t lanes_of_half(size_t words) { return (limbs_of_half(words) + LANES - 1) / LANES * LANES; }

/* Words of an element, or 0 where it takes no such n. */
EXPORT size_t halves_words(size_t words) {
  return words < LEAST_WORDS || words > MOST_WORDS_OF_ROOT ? 0 : 2 * lanes_of_half(words);
}

static void read_half(Half *out, const uint64_t *words, size_t count) {
  for (size_t at = 0; at < LANES * MOST_GROUPS; at++) out->limb[at] = limb_of(words, count, at);
}

static int admit_root(Root *out, size_t words, const uint64_t *root, const uint64_t *start) {
  if (!halves_words(words)) return BAD_LENGTH;
  if (!(root[0] & 1)) return BAD_MODULUS;
  out->limbs = limbs_of_half(words);
  out->groups = lanes_of_half(words) / LANES;
  out->factor = negative_inverse(root[0]);
  read_half(&out->modulus, root, words);
  read_half(&out->start, start, words + 1);
  /* The second reduction takes m away limb by limb, and m is 2^52 − 1 at most in each. */
  for (size_t at = 0; at < out->limbs; at++) out->start.limb[at] += LIMB_MASK;
  return DONE;
}

static void load_halves(Halves *out, const uint64_t *element, const Root *root) {
  const size_t lanes = LANES * root->groups;
  memcpy(out->low.limb, element, lanes * sizeof(uint64_t));
  memcpy(out->high.limb, element + lanes, lanes * sizeof(uint64_t));
}

static void store_halves(uint64_t *element, const Halves *halves, const Root *root) {
  const size_t lanes = LANES * root->groups;
  memcpy(element, halves->low.limb, lanes * sizeof(uint64_t));
  memcpy(element + lanes, halves->high.limb, lanes * sizeof(uint64_t));
}

static void times(Halves *product, const uint64_t *element, const Root *root) {
  multiply_halves(product, product, element, element + LANES * root->groups, root);
}

/* The element of low + high·n, `number` being the words of both, by that of R², whose halves are `square`. */
EXPORT int halves_enter(size_t words, const uint64_t *root, const uint64_t *start, const uint64_t *square,
                        const uint64_t *number, uint64_t *out) {
  Root within;
  Halves found, by;
  int reason = admit_root(&within, words, root, start);
  if (reason) return reason;
  read_half(&found.low, number, words);
  read_half(&found.high, number + words, words);
  read_half(&by.low, square, words);
  read_half(&by.high, square + words, words);
  multiply_halves(&found, &found, by.low.limb, by.high.limb, &within);
  store_halves(out, &found, &within);
  return DONE;
}

/* An element's halves out of Montgomery's form, of words + 1 words each: a product with 1 is n + 3 at most. */
EXPORT int halves_leave(size_t words, const uint64_t *root, const uint64_t *start, const uint64_t *element,
                        uint64_t *out) {
  Root within;
  Halves found, one = {{{1}}, {{0}}};
  int reason = admit_root(&within, words, root, start);
  if (reason) return reason;
  load_halves(&found, element, &within);
  multiply_halves(&found, &found, one.low.limb, one.high.limb, &within);
  write_limbs(out, words + 1, found.low.limb, within.limbs);
  write_limbs(out + words + 1, words + 1, found.high.limb, within.limbs);
  return DONE;
}

EXPORT int halves_multiply(size_t words, const uint64_t *root, const uint64_t *start, const uint64_t *first,
                           const uint64_t *second, uint64_t *out) {
  Root within;
  Halves found;
  int reason = admit_root(&within, words, root, start);
  if (reason) return reason;
  load_halves(&found, first, &within);
  times(&found, second, &within);
  store_halves(out, &found, &within);
  return DONE;
}

/* Π f^(2^position) over `count` factors: at each position, from the highest down, a squaring and as many products as
 * `counts` says, with the factors that come next. `product` is what it starts with: the element of 1. */
EXPORT int halves_chain(size_t words, const uint64_t *root, const uint64_t *start, const uint64_t *product,
                        size_t positions, const uint16_t *counts, size_t count, const uint64_t *factors,
                        uint64_t *out) {
  Root within;
  Halves found;
  size_t all = 0;
  int reason = admit_root(&within, words, root, start);
  if (reason) return reason;
  if (positions > MOST_POSITIONS) return BAD_LENGTH;
  for (size_t position = 0; position < positions; position++) all += counts[position];
  if (all != count) return BAD_LENGTH;
  load_halves(&found, product, &within);
  for (size_t position = 0; position < positions; position++) {
    square_halves(&found, &found, &within);
    for (size_t left = counts[position]; left; left--, factors += halves_words(words)) times(&found, factors, &within);
  }
  store_halves(out, &found, &within);
  return DONE;
}

/* b, b³, b⁵, …, `count` elements. */
EXPORT int halves_odd_powers(size_t words, const uint64_t *root, const uint64_t *start, const uint64_t *base,
                             size_t count, uint64_t *out) {
  Root within;
  Halves power, square;
  int reason = admit_root(&within, words, root, start);
  if (reason) return reason;
  if (!count || count > MOST_POWERS) return BAD_LENGTH;
  load_halves(&power, base, &within);
  square_halves(&square, &power, &within);
  for (size_t at = 0; at < count; at++, out += halves_words(words)) {
    store_halves(out, &power, &within);
    multiply_halves(&power, &power, square.low.limb, square.high.limb, &within);
  }
  return DONE;
}
