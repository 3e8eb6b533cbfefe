/* What is called from outside: eight numbers at once, checked at the door.
 *
 * Numbers are 64-bit words, the lowest first, eight numbers of `words` words one after another, and every one is below
 * its modulus. `squares` holds (2^(52·limbs))² modulo each modulus, limbs = kernel_limbs(words). Each function returns 0,
 * or one of the reasons below with `out` untouched; a table that was not filled to its end holds nothing to use. Buffers
 * must be as long as the lengths beside them say: then nothing that is in them makes it read or write beyond them.
 *
 * Of a secret it learns in what it is told is one (digits of secret powers and of table products, bases, moduli): each
 * is read whole whatever it is, and tables are looked through from end to end. Exponents of `kernel_public_powers` are
 * for everybody to see.
 */
#include "montgomery.h"

#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

#define LEAST_WORDS 16
#define SECRET_WINDOW 5
#define MOST_WINDOW 6
#define MOST_ODD_POWERS 128
#define MOST_SQUARINGS (1u << 16) /* In one call: eight times the longest modulus. */
#define MOST_BASES (1u << 14)

enum { DONE, BAD_LENGTH, BAD_MODULUS, BAD_NUMBER, BAD_DIGIT, NO_MEMORY };

#ifndef KERNEL_SOURCES
#define KERNEL_SOURCES ""
#endif

/* The digest of the sources that this was built from, as whoever built it wrote it. */
EXPORT const char *kernel_sources(void) { return KERNEL_SOURCES; }

/* Limbs of numbers of so many words, or 0 where it takes none of that length. */
EXPORT size_t kernel_limbs(size_t words) {
  return words < LEAST_WORDS || words > MOST_WORDS ? 0 : limbs_for(words);
}

/* Words of a table, or 0 for one that is too large. */
EXPORT size_t kernel_table_words(size_t words, size_t bases, size_t window) {
  if (!kernel_limbs(words) || !bases || bases > MOST_BASES || !window || window > MOST_WINDOW) return 0;
  return bases * kernel_limbs(words) << window;
}

/* Each number from `words` into its lane, if all are below their moduli. */
static int admit(Number *out, const uint64_t *numbers, size_t words, const Moduli *within) {
  Number rest;
  read_number(out, numbers, words, within->limbs);
  return subtract(&rest, out, &within->modulus, within->limbs) == 0xff ? DONE : BAD_NUMBER;
}

static int admit_moduli(Moduli *out, const uint64_t *moduli, const uint64_t *squares, size_t words) {
  uint64_t factors[LANES];
  out->limbs = kernel_limbs(words);
  if (!out->limbs) return BAD_LENGTH;
  for (size_t lane = 0; lane < LANES; lane++) {
    uint64_t above = moduli[lane * words] >> 1;
    for (size_t at = 1; at < words; at++) above |= moduli[lane * words + at];
    if (!(moduli[lane * words] & 1) || !above) return BAD_MODULUS;
    factors[lane] = negative_inverse(moduli[lane * words]);
  }
  out->factor = load_lanes(factors);
  read_number(&out->modulus, moduli, words, out->limbs);
  return admit(&out->square, squares, words, out);
}

/* One modulus for all lanes. */
static int admit_modulus(Moduli *out, const uint64_t *modulus, const uint64_t *square, size_t words) {
  uint64_t moduli[LANES * MOST_WORDS], squares[LANES * MOST_WORDS];
  if (!kernel_limbs(words)) return BAD_LENGTH;
  for (size_t at = 0; at < LANES * words; at++) {
    moduli[at] = modulus[at % words];
    squares[at] = square[at % words];
  }
  return admit_moduli(out, moduli, squares, words);
}

static void set_unit(Number *out, const Moduli *within) {
  set_one(out, within->limbs);
  enter(out, within);
}

static void finish(uint64_t *out, Number *number, size_t words, const Moduli *within) {
  leave(number, within);
  write_number(out, number, words, within->limbs);
}

static Number *numbers_for(size_t count) { return aligned_alloc(sizeof(Lanes), count * sizeof(Number)); }

/* Products of `count` factors in each lane; factors[i] are eight numbers. */
EXPORT int kernel_products(size_t words, const uint64_t *moduli, const uint64_t *squares, size_t count,
                           const uint64_t *factors, uint64_t *out) {
  Moduli within;
  Number product, factor;
  int reason = admit_moduli(&within, moduli, squares, words);
  if (reason) return reason;
  set_unit(&product, &within);
  for (size_t at = 0; at < count; at++) {
    reason = admit(&factor, factors + at * LANES * words, words, &within);
    if (reason) return reason;
    enter(&factor, &within);
    multiply(&product, &product, &factor, &within);
  }
  finish(out, &product, words, &within);
  return DONE;
}

static int admit_steps(size_t odd_powers, size_t steps, const uint16_t *squarings, const uint8_t *digits) {
  size_t all = 0;
  if (!odd_powers || odd_powers > MOST_ODD_POWERS || steps > MOST_SQUARINGS) return BAD_LENGTH;
  for (size_t step = 0; step < steps; step++) {
    all += squarings[step];
    if (digits[step] > odd_powers) return BAD_DIGIT;
  }
  return all > MOST_SQUARINGS ? BAD_LENGTH : DONE;
}

static void raise_publicly(Number *power, const Number *table, size_t steps, const uint16_t *squarings,
                           const uint8_t *digits, const Moduli *within) {
  for (size_t step = 0; step < steps; step++) {
    for (size_t left = squarings[step]; left; left--) multiply(power, power, power, within);
    if (digits[step]) multiply(power, power, table + digits[step] - 1, within);
  }
}

/* Powers with one exponent that everybody knows, by windows that slide: at each step the power is squared so many times
 * and multiplied by the base to the 2·digit − 1, or by nothing for the digit 0. */
EXPORT int kernel_public_powers(size_t words, const uint64_t *moduli, const uint64_t *squares, const uint64_t *bases,
                                size_t odd_powers, size_t steps, const uint16_t *squarings, const uint8_t *digits,
                                uint64_t *out) {
  Moduli within;
  Number power;
  int reason = admit_steps(odd_powers, steps, squarings, digits);
  if (!reason) reason = admit_moduli(&within, moduli, squares, words);
  if (!reason) reason = admit(&power, bases, words, &within);
  if (reason) return reason;
  Number *table = numbers_for(odd_powers);
  if (!table) return NO_MEMORY;
  enter(&power, &within);
  table[0] = power;
  multiply(&power, &power, &power, &within);
  for (size_t at = 1; at < odd_powers; at++) multiply(table + at, table + at - 1, &power, &within);
  set_unit(&power, &within);
  raise_publicly(&power, table, steps, squarings, digits, &within);
  finish(out, &power, words, &within);
  free(table);
  return DONE;
}

/* Digits are checked all together: where the first bad one stands takes no different time. */
static int admit_digits(const uint8_t *digits, size_t count, unsigned below) {
  unsigned bad = 0;
  for (size_t at = 0; at < count; at++) bad |= digits[at] >= below;
  return bad ? BAD_DIGIT : DONE;
}

static Lanes lanes_of_digits(const uint8_t *digits) {
  uint64_t wide[LANES];
  for (size_t lane = 0; lane < LANES; lane++) wide[lane] = digits[lane];
  return load_lanes(wide);
}

/* table[digit] of each lane, by looking through the whole table. */
static void look_through(Number *out, const Number *table, Lanes digits, size_t limbs) {
  *out = table[0];
  for (size_t entry = 1; entry < 1u << SECRET_WINDOW; entry++) {
    LaneMask here = equal_lanes(digits, all_lanes(entry));
    for (size_t at = 0; at < limbs; at++)
      out->limb[at] = choose_lanes(here, out->limb[at], table[entry].limb[at]);
  }
}

/* Powers with an exponent in each lane, which is a secret but for its length: `positions` digits of SECRET_WINDOW bits
 * of each, the highest first, digits[position] being eight of them. */
EXPORT int kernel_secret_powers(size_t words, const uint64_t *moduli, const uint64_t *squares, const uint64_t *bases,
                                size_t positions, const uint8_t *digits, uint64_t *out) {
  Moduli within;
  Number power, factor;
  int reason = positions > MOST_SQUARINGS / SECRET_WINDOW ? BAD_LENGTH : DONE;
  if (!reason) reason = admit_digits(digits, positions * LANES, 1u << SECRET_WINDOW);
  if (!reason) reason = admit_moduli(&within, moduli, squares, words);
  if (!reason) reason = admit(&factor, bases, words, &within);
  if (reason) return reason;
  Number *table = numbers_for(1u << SECRET_WINDOW);
  if (!table) return NO_MEMORY;
  enter(&factor, &within);
  set_unit(table, &within);
  for (size_t at = 1; at < 1u << SECRET_WINDOW; at++) multiply(table + at, table + at - 1, &factor, &within);
  power = table[0];
  for (size_t position = 0; position < positions; position++) {
    for (int left = SECRET_WINDOW; left; left--) multiply(&power, &power, &power, &within);
    look_through(&factor, table, lanes_of_digits(digits + position * LANES), within.limbs);
    multiply(&power, &power, &factor, &within);
  }
  finish(out, &power, words, &within);
  free(table);
  return DONE;
}

/* Entry `entry` of the tables of eight bases, of which the first `count` are kept. */
static void keep_entry(uint64_t *table, const Number *number, size_t count, size_t window, size_t entry,
                       size_t limbs) {
  for (size_t at = 0; at < limbs; at++) {
    uint64_t lanes[LANES];
    store_lanes(lanes, number->limb[at]);
    for (size_t lane = 0; lane < count; lane++) table[((lane * limbs + at) << window) + entry] = lanes[lane];
  }
}

/* For each base start·base^digit, digits below 2^window: eight bases at a time. `starts` and `bases` are as many numbers
 * as there are bases; `table` has kernel_table_words(words, count, window) words. */
EXPORT int kernel_fill_table(size_t words, const uint64_t *modulus, const uint64_t *square, size_t count,
                             size_t window, const uint64_t *starts, const uint64_t *bases, uint64_t *table,
                             size_t table_words) {
  Moduli within;
  if (!table_words || table_words != kernel_table_words(words, count, window)) return BAD_LENGTH;
  int reason = admit_modulus(&within, modulus, square, words);
  for (size_t first = 0; !reason && first < count; first += LANES) {
    size_t here = count - first < LANES ? count - first : LANES;
    uint64_t some[2][LANES * MOST_WORDS] = {{0}};
    Number power, base;
    for (size_t at = 0; at < here * words; at++) {
      some[0][at] = starts[first * words + at];
      some[1][at] = bases[first * words + at];
    }
    reason = admit(&power, some[0], words, &within);
    if (!reason) reason = admit(&base, some[1], words, &within);
    if (reason) break;
    enter(&power, &within);
    enter(&base, &within);
    for (size_t entry = 0; entry < (size_t)1 << window; entry++) {
      keep_entry(table + (first * within.limbs << window), &power, here, window, entry, within.limbs);
      multiply(&power, &power, &base, &within);
    }
  }
  return reason;
}

/* Each lane's entry of one base's table, by looking through the whole of it: ROWS limbs for each mask that is fetched. */
static void look_through_shared(Number *out, const uint64_t *table, size_t window, Lanes digits, size_t limbs) {
  const size_t entries = (size_t)1 << window;
  LaneMask here[1 << MOST_WINDOW];
  for (size_t entry = 0; entry < entries; entry++) here[entry] = equal_lanes(digits, all_lanes(entry));
  for (size_t at = 0; at < limbs; at += ROWS, table += ROWS * entries) {
    Lanes found[ROWS];
    for (size_t row = 0; row < ROWS; row++) found[row] = all_lanes(table[row * entries]);
    for (size_t entry = 1; entry < entries; entry++)
      for (size_t row = 0; row < ROWS; row++)
        found[row] = choose_lanes(here[entry], found[row], all_lanes(table[row * entries + entry]));
    for (size_t row = 0; row < ROWS; row++) out->limb[at + row] = found[row];
  }
}

/* Eight products of powers over one table of `count` bases (E. Straus, 1964): `positions` rounds of `window` squarings,
 * none before the first, and of one product for each base. digits[position][base] are the eight lanes' secrets. */
EXPORT int kernel_table_products(size_t words, const uint64_t *modulus, const uint64_t *square, size_t count,
                                 size_t window, const uint64_t *table, size_t table_words, size_t positions,
                                 const uint8_t *digits, uint64_t *out) {
  Moduli within;
  Number product, factor = {0};
  if (!table_words || table_words != kernel_table_words(words, count, window)) return BAD_LENGTH;
  if (!positions || positions > MOST_SQUARINGS / window) return BAD_LENGTH;
  int reason = admit_digits(digits, positions * count * LANES, 1u << window);
  if (!reason) reason = admit_modulus(&within, modulus, square, words);
  if (reason) return reason;
  set_unit(&product, &within);
  for (size_t position = 0; position < positions; position++) {
    for (size_t left = position ? window : 0; left; left--) multiply(&product, &product, &product, &within);
    for (size_t base = 0; base < count; base++, digits += LANES) {
      look_through_shared(&factor, table + (base * within.limbs << window), window, lanes_of_digits(digits),
                          within.limbs);
      multiply(&product, &product, &factor, &within);
    }
  }
  finish(out, &product, words, &within);
  return DONE;
}
