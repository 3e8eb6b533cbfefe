/* Numbers modulo eight odd moduli at once: one in each lane, in limbs of 52 bits.
 *
 * Almost-Montgomery multiplication (P. Montgomery, 1985; S. Gueron, "Efficient software implementations of modular
 * exponentiation", 2012): with R = 2^(52·limbs) ≥ 4n, a and b below 2n give a·b/R modulo n, below 2n again, with no
 * comparison in between. Nothing here branches on a number or is looked up by one: time and the addresses touched
 * follow from `limbs` alone.
 */
#ifndef DELTAML_MONTGOMERY_H
#define DELTAML_MONTGOMERY_H

#include <stddef.h>

#include "lanes.h"
#include "words.h"

#define ROWS 4 /* Limbs of the first factor that are multiplied in one pass over the second. */
#define MOST_WORDS 128
#define MOST_LIMBS 160 /* (64·MOST_WORDS + 2)/52, rounded up to whole passes. */

/* Limbs from `limbs` on are zero, ROWS of them at least: passes read that far. */
typedef struct {
  Lanes limb[MOST_LIMBS + ROWS];
} Number;

/* What a multiplication needs to know: −n^−1 modulo 2^52 is `factor`. */
typedef struct {
  Number modulus, square; /* square is R² modulo n: a number times it is in Montgomery's form. */
  Lanes factor;
  size_t limbs;
} Moduli;

static inline size_t limbs_for(size_t words) {
  size_t limbs = (64 * words + 2 + LIMB_BITS - 1) / LIMB_BITS;
  return (limbs + ROWS - 1) / ROWS * ROWS;
}

/* The lowest ROWS columns of a pass, which decide what multiple of n makes them zero; returns their carry.
 *
 * What depends on no q comes first, and halves are added up apart: the chain of instructions that wait for each other
 * is a third as long.
 */
static inline Lanes clear_low_columns(const Lanes *sum, const Lanes *a, Lanes *q, const Lanes *b, const Lanes *n,
                                      Lanes factor) {
  Lanes low[ROWS], high[ROWS], carry = all_lanes(0);
  for (int column = 0; column < ROWS; column++) {
    low[column] = add_product_low(sum[column], a[column], b[0]);
    high[column] = all_lanes(0);
    for (int row = 0; row < column; row++) {
      low[column] = add_product_low(low[column], a[row], b[column - row]);
      high[column] = add_product_high(high[column], a[row], b[column - 1 - row]);
    }
  }
  for (int column = 0; column < ROWS; column++) {
    for (int row = 0; row < column; row++) {
      low[column] = add_product_low(low[column], q[row], n[column - row]);
      high[column] = add_product_high(high[column], q[row], n[column - 1 - row]);
    }
    Lanes whole = add_lanes(add_lanes(low[column], high[column]), carry);
    q[column] = add_product_low(all_lanes(0), whole, factor);
    carry = shift_lanes_right(add_product_low(whole, q[column], n[0]), LIMB_BITS);
  }
  return carry;
}

/* sum + a·b + q·n in the columns above, which are moved down by ROWS.
 *
 * A column is passed limbs/ROWS times and grows by 16 numbers below 2^52 in each, 640 at most, and at its end by a
 * carry below 2^12: it stays below 2^62, so that none is normalised before the end.
 */
static inline void add_high_columns(Lanes *sum, const Lanes *a, const Lanes *q, const Lanes *b, const Lanes *n,
                                    Lanes carry, size_t limbs) {
  const Lanes a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3], q0 = q[0], q1 = q[1], q2 = q[2], q3 = q[3];
  for (size_t column = ROWS; column < limbs + ROWS; column++) {
    const Lanes *x = b + column, *y = n + column;
    Lanes low = sum[column], high = carry;
    carry = all_lanes(0);
    low = add_product_low(low, a0, x[0]);
    high = add_product_high(high, a0, x[-1]);
    low = add_product_low(low, a1, x[-1]);
    high = add_product_high(high, a1, x[-2]);
    low = add_product_low(low, a2, x[-2]);
    high = add_product_high(high, a2, x[-3]);
    low = add_product_low(low, a3, x[-3]);
    high = add_product_high(high, a3, x[-4]);
    low = add_product_low(low, q0, y[0]);
    high = add_product_high(high, q0, y[-1]);
    low = add_product_low(low, q1, y[-1]);
    high = add_product_high(high, q1, y[-2]);
    low = add_product_low(low, q2, y[-2]);
    high = add_product_high(high, q2, y[-3]);
    low = add_product_low(low, q3, y[-3]);
    high = add_product_high(high, q3, y[-4]);
    sum[column - ROWS] = add_lanes(low, high);
  }
}

/* a·b/R modulo n, below 2n. `out` may be a or b. Kept apart: its one copy stays in the cache of instructions. */
static __attribute__((noinline)) void multiply(Number *out, const Number *a, const Number *b, const Moduli *within) {
  const size_t limbs = within->limbs;
  const Lanes *n = within->modulus.limb, mask = all_lanes(LIMB_MASK);
  Lanes sum[MOST_LIMBS + ROWS], q[ROWS], carry = all_lanes(0);
  for (size_t column = 0; column < limbs + ROWS; column++) sum[column] = all_lanes(0);
  for (size_t row = 0; row < limbs; row += ROWS) {
    Lanes low = clear_low_columns(sum, a->limb + row, q, b->limb, n, within->factor);
    add_high_columns(sum, a->limb + row, q, b->limb, n, low, limbs);
  }
  for (size_t at = 0; at < limbs; at++) {
    Lanes whole = add_lanes(sum[at], carry);
    out->limb[at] = and_lanes(whole, mask);
    carry = shift_lanes_right(whole, LIMB_BITS);
  }
  for (size_t at = limbs; at < limbs + ROWS; at++) out->limb[at] = all_lanes(0);
}

static inline void set_one(Number *out, size_t limbs) {
  for (size_t at = 0; at < limbs + ROWS; at++) out->limb[at] = all_lanes(0);
  out->limb[0] = all_lanes(1);
}

/* Whether a is below b in each lane; the difference a − b, modulo 2^(52·limbs), goes to `out`. */
static inline LaneMask subtract(Number *out, const Number *a, const Number *b, size_t limbs) {
  Lanes borrow = all_lanes(0);
  for (size_t at = 0; at < limbs; at++) {
    Lanes whole = subtract_lanes(subtract_lanes(a->limb[at], b->limb[at]), borrow);
    out->limb[at] = and_lanes(whole, all_lanes(LIMB_MASK));
    borrow = shift_lanes_right(whole, 63);
  }
  return equal_lanes(borrow, all_lanes(1));
}

static inline void enter(Number *number, const Moduli *within) {
  multiply(number, number, &within->square, within);
}

/* Out of Montgomery's form, and below n: a product with 1 is n at most. */
static inline void leave(Number *number, const Moduli *within) {
  Number less;
  set_one(&less, within->limbs);
  multiply(number, number, &less, within);
  LaneMask below = subtract(&less, number, &within->modulus, within->limbs);
  for (size_t at = 0; at < within->limbs; at++)
    number->limb[at] = choose_lanes(below, less.limb[at], number->limb[at]);
}

/* Eight numbers of so many words, one after another, into their lanes. */
static inline void read_number(Number *out, const uint64_t *words, size_t count, size_t limbs) {
  for (size_t at = 0; at < limbs + ROWS; at++) {
    uint64_t lanes[LANES];
    for (size_t lane = 0; lane < LANES; lane++) lanes[lane] = limb_of(words + lane * count, count, at);
    out->limb[at] = load_lanes(lanes);
  }
}

/* And back; what does not fit into so many words is zero, the numbers being below their moduli. */
static inline void write_number(uint64_t *words, const Number *number, size_t count, size_t limbs) {
  for (size_t at = 0; at < LANES * count; at++) words[at] = 0;
  for (size_t at = 0; at < limbs; at++) {
    uint64_t lanes[LANES];
    store_lanes(lanes, number->limb[at]);
    for (size_t lane = 0; lane < LANES; lane++) put_limb(words + lane * count, count, at, lanes[lane]);
  }
}

#endif
