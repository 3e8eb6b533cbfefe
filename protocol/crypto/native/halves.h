/* One number modulo a square n² at a time: low + high·n, each half in limbs of 52 bits that lie in eight lanes and more.
 *
 * In Montgomery's form by halves. With R = 2^(52·limbs), low·low' + m·n = r·R for the m that each limb's factor gives,
 * so that low·low'/R is r − (m/R)·n modulo n². The product's low half is r, and its high half is
 * (low·high' + high·low' − m)/R modulo n: a second reduction, limb by limb beside the first, whose m it takes away. To
 * stay above zero it starts with a multiple of n that is above R. What is below 2n stays below 2n, R being 64n at least:
 * (3·(2n)² + 2R + R·n)/R < 2n.
 *
 * A limb is added to in each step, by six products below 2^52 at most, and after `limbs` ≤ 80 steps has left: below 2^62.
 * Nothing branches on a number or is looked up by one.
 */
#ifndef DELTAML_HALVES_H
#define DELTAML_HALVES_H

#include <stddef.h>

#include "lanes.h"

#define MOST_GROUPS 10 /* Of eight limbs: n of 4,096 bits. */
#ifndef PORTABLE_LANES
/* A loop of its own for each length, unrolled: columns stay in registers. */
#define EACH_GROUP _Pragma("GCC unroll 10") for (size_t group = 0; group < groups; group++)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#else
#define EACH_GROUP for (size_t group = 0; group < groups; group++)
#define ALWAYS_INLINE static
#endif

/* Of a half: limbs from `limbs` on are zero. */
typedef struct {
  uint64_t limb[LANES * MOST_GROUPS];
} Half;

typedef struct {
  Half low, high;
} Halves;

/* n, what the second reduction starts with, and −n^−1 modulo 2^52. */
typedef struct {
  Half modulus, start;
  uint64_t factor;
  size_t limbs, groups;
} Root;

/* Six bits above n, which make R 64n at least. */
static inline size_t limbs_of_half(size_t words) { return (64 * words + 6 + LIMB_BITS - 1) / LIMB_BITS; }

/* Columns to limbs below 2^52. After one carry each column is 2^52 + 2^11 at most, so that what is left to carry is one
 * or nothing, and all of them are found by an addition of the masks of those that make one and those that pass it on. */
ALWAYS_INLINE void carry_columns(Half *out, Lanes *column, const size_t groups) {
  __extension__ typedef unsigned __int128 Mask;
  const Lanes mask = all_lanes(LIMB_MASK);
  Lanes below = all_lanes(0);
  Mask making = 0, passing = 0;
  EACH_GROUP {
    Lanes carry = shift_lanes_right(column[group], LIMB_BITS);
    column[group] = add_lanes(and_lanes(column[group], mask), one_lane_up(carry, below));
    below = carry;
    making |= (Mask)lanes_above(column[group], mask) << (LANES * group);
    passing |= (Mask)equal_lanes(column[group], mask) << (LANES * group);
  }
  Mask carried = ((making << 1) + passing) ^ passing;
  EACH_GROUP {
    Lanes more = choose_lanes((LaneMask)(carried >> (LANES * group)), all_lanes(0), all_lanes(1));
    store_lanes(out->limb + LANES * group, and_lanes(add_lanes(column[group], more), mask));
  }
}

/* The limb of the multiple of n that makes the lowest column zero; `carry` is what that column leaves to the next. */
ALWAYS_INLINE uint64_t clearing(uint64_t lowest, const Root *root, uint64_t *carry) {
  uint64_t limb = (lowest * root->factor) & LIMB_MASK;
  *carry = (lowest + ((limb * root->modulus.limb[0]) & LIMB_MASK)) >> LIMB_BITS;
  return limb;
}

ALWAYS_INLINE void move_down(Lanes *column, uint64_t carry, const size_t groups) {
  EACH_GROUP column[group] = one_lane_down(group + 1 < groups ? column[group + 1] : all_lanes(0), column[group]);
  column[0] = add_lanes(column[0], in_lowest_lane(carry));
}

/* low + high·n is (a + b·n)·(c + d·n)/R; where `square` holds, d is twice b, and the product b·c is left out. */
ALWAYS_INLINE void multiply_groups(Halves *out, const Halves *ab, const uint64_t *c, const uint64_t *d,
                                   const Root *root, const size_t groups, const int square) {
  const uint64_t *a = ab->low.limb, *b = ab->high.limb, *n = root->modulus.limb;
  Lanes low[MOST_GROUPS], high[MOST_GROUPS];
  EACH_GROUP {
    low[group] = all_lanes(0);
    high[group] = load_lanes(root->start.limb + LANES * group);
  }
  for (size_t at = 0; at < root->limbs; at++) {
    const Lanes cs = all_lanes(c[at]), ds = all_lanes(d[at]);
    uint64_t low_carry, high_carry;
    EACH_GROUP {
      low[group] = add_product_low(low[group], load_lanes(a + LANES * group), cs);
      high[group] = add_product_low(high[group], load_lanes(a + LANES * group), ds);
      if (!square) high[group] = add_product_low(high[group], load_lanes(b + LANES * group), cs);
    }
    const uint64_t m = clearing(lowest_lane(low[0]), root, &low_carry);
    const Lanes ms = all_lanes(m), qs = all_lanes(clearing(lowest_lane(high[0]) - m, root, &high_carry));
    EACH_GROUP {
      low[group] = add_product_low(low[group], load_lanes(n + LANES * group), ms);
      high[group] = add_product_low(high[group], load_lanes(n + LANES * group), qs);
    }
    move_down(low, low_carry, groups);
    move_down(high, high_carry, groups);
    EACH_GROUP {
      low[group] = add_product_high(low[group], load_lanes(a + LANES * group), cs);
      high[group] = add_product_high(high[group], load_lanes(a + LANES * group), ds);
      if (!square) high[group] = add_product_high(high[group], load_lanes(b + LANES * group), cs);
      low[group] = add_product_high(low[group], load_lanes(n + LANES * group), ms);
      high[group] = add_product_high(high[group], load_lanes(n + LANES * group), qs);
    }
  }
  carry_columns(&out->low, low, groups);
  carry_columns(&out->high, high, groups);
}

/* Twice a half, below 4n. */
ALWAYS_INLINE void double_half(Half *out, const Half *half, const size_t groups) {
  Lanes column[MOST_GROUPS];
  EACH_GROUP column[group] = add_lanes(load_lanes(half->limb + LANES * group), load_lanes(half->limb + LANES * group));
  carry_columns(out, column, groups);
}

ALWAYS_INLINE void square_groups(Halves *out, const Halves *ab, const Root *root, const size_t groups) {
  Half twice;
  double_half(&twice, &ab->high, groups);
  multiply_groups(out, ab, ab->low.limb, twice.limb, root, groups, 1);
}

#ifndef PORTABLE_LANES
#define FOR_EACH_LENGTH(call)                                                                                          \
  switch (root->groups) {                                                                                              \
    case 3: call(3); break;                                                                                            \
    case 4: call(4); break;                                                                                            \
    case 5: call(5); break;                                                                                            \
    case 6: call(6); break;                                                                                            \
    case 7: call(7); break;                                                                                            \
    case 8: call(8); break;                                                                                            \
    case 9: call(9); break;                                                                                            \
    case 10: call(10); break;                                                                                          \
  }
#else
#define FOR_EACH_LENGTH(call) call(root->groups);
#endif

#define MULTIPLIED(groups) multiply_groups(out, ab, c, d, root, groups, 0)
#define SQUARED(groups) square_groups(out, ab, root, groups)

/* (a + b·n)·(c + d·n)/R; `out` may be any of the factors. */
static __attribute__((noinline)) void multiply_halves(Halves *out, const Halves *ab, const uint64_t *c,
                                                      const uint64_t *d, const Root *root) {
  FOR_EACH_LENGTH(MULTIPLIED)
}

/* (a + b·n)²/R; `out` may be `ab`. */
static __attribute__((noinline)) void square_halves(Halves *out, const Halves *ab, const Root *root) {
  FOR_EACH_LENGTH(SQUARED)
}

#endif
