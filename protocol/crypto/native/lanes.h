/* Eight 64-bit lanes of a 512-bit register, and the few instructions on them that the kernel is written in.
 *
 * Two forms. Intel's intrinsics, for processors with AVX-512 IFMA; and, with PORTABLE_LANES defined, plain C that
 * does what Intel's "Operation" text of each of these instructions says, bit for bit. The second is for tests on
 * any machine: it is slower than GMP and never computes anything for a participant.
 */
#ifndef DELTAML_LANES_H
#define DELTAML_LANES_H

#include <stdint.h>

#define LANES 8
#define LIMB_BITS 52
#define LIMB_MASK ((UINT64_C(1) << LIMB_BITS) - 1)

#ifndef PORTABLE_LANES

#include <immintrin.h>

typedef __m512i Lanes;
typedef __mmask8 LaneMask;

static inline Lanes all_lanes(uint64_t value) { return _mm512_set1_epi64((long long)value); }
static inline Lanes load_lanes(const uint64_t *from) { return _mm512_loadu_si512(from); }
static inline void store_lanes(uint64_t *to, Lanes value) { _mm512_storeu_si512(to, value); }
static inline Lanes add_lanes(Lanes a, Lanes b) { return _mm512_add_epi64(a, b); }
static inline Lanes subtract_lanes(Lanes a, Lanes b) { return _mm512_sub_epi64(a, b); }
static inline Lanes and_lanes(Lanes a, Lanes b) { return _mm512_and_si512(a, b); }
#define shift_lanes_right(value, bits) _mm512_srli_epi64((value), (bits))
static inline Lanes add_product_low(Lanes sum, Lanes a, Lanes b) { return _mm512_madd52lo_epu64(sum, a, b); }
static inline Lanes add_product_high(Lanes sum, Lanes a, Lanes b) { return _mm512_madd52hi_epu64(sum, a, b); }
static inline LaneMask equal_lanes(Lanes a, Lanes b) { return _mm512_cmpeq_epi64_mask(a, b); }
static inline Lanes choose_lanes(LaneMask second, Lanes a, Lanes b) { return _mm512_mask_mov_epi64(a, second, b); }
static inline LaneMask lanes_above(Lanes a, Lanes b) { return _mm512_cmpgt_epu64_mask(a, b); }
static inline uint64_t lowest_lane(Lanes a) { return (uint64_t)_mm_cvtsi128_si64(_mm512_castsi512_si128(a)); }
static inline Lanes in_lowest_lane(uint64_t value) {
  return _mm512_zextsi128_si512(_mm_cvtsi64_si128((long long)value));
}
static inline Lanes one_lane_down(Lanes above, Lanes a) { return _mm512_alignr_epi64(above, a, 1); }
static inline Lanes one_lane_up(Lanes a, Lanes below) { return _mm512_alignr_epi64(a, below, LANES - 1); }

#else

typedef struct {
  uint64_t lane[LANES];
} Lanes;
typedef uint8_t LaneMask;

#define EACH_LANE for (int at = 0; at < LANES; at++)

static inline Lanes all_lanes(uint64_t value) {
  Lanes out;
  EACH_LANE out.lane[at] = value;
  return out;
}

static inline Lanes load_lanes(const uint64_t *from) {
  Lanes out;
  EACH_LANE out.lane[at] = from[at];
  return out;
}

static inline void store_lanes(uint64_t *to, Lanes value) { EACH_LANE to[at] = value.lane[at]; }

/* VPADDQ, VPSUBQ: modulo 2^64. */
static inline Lanes add_lanes(Lanes a, Lanes b) {
  EACH_LANE a.lane[at] += b.lane[at];
  return a;
}

static inline Lanes subtract_lanes(Lanes a, Lanes b) {
  EACH_LANE a.lane[at] -= b.lane[at];
  return a;
}

static inline Lanes and_lanes(Lanes a, Lanes b) {
  EACH_LANE a.lane[at] &= b.lane[at];
  return a;
}

/* VPSRLQ: zeros come in; a count above 63 gives zero. */
static inline Lanes shift_lanes_right(Lanes a, unsigned bits) {
  EACH_LANE a.lane[at] = bits > 63 ? 0 : a.lane[at] >> bits;
  return a;
}

__extension__ typedef unsigned __int128 TwoWords;

static inline TwoWords product_of_limbs(uint64_t a, uint64_t b) {
  return (TwoWords)(a & LIMB_MASK) * (b & LIMB_MASK);
}

/* VPMADD52LUQ: the product of the low 52 bits of each; its low 52 bits are added, modulo 2^64. */
static inline Lanes add_product_low(Lanes sum, Lanes a, Lanes b) {
  EACH_LANE sum.lane[at] += (uint64_t)product_of_limbs(a.lane[at], b.lane[at]) & LIMB_MASK;
  return sum;
}

/* VPMADD52HUQ: the same, and its bits from 52 to 103. */
static inline Lanes add_product_high(Lanes sum, Lanes a, Lanes b) {
  EACH_LANE sum.lane[at] += (uint64_t)(product_of_limbs(a.lane[at], b.lane[at]) >> LIMB_BITS);
  return sum;
}

/* VPCMPEQQ into a mask: bit i is lane i's. */
static inline LaneMask equal_lanes(Lanes a, Lanes b) {
  LaneMask equal = 0;
  EACH_LANE equal |= (LaneMask)((unsigned)(a.lane[at] == b.lane[at]) << at);
  return equal;
}

/* VMOVDQA64 under a merging mask. */
static inline Lanes choose_lanes(LaneMask second, Lanes a, Lanes b) {
  EACH_LANE a.lane[at] = second >> at & 1 ? b.lane[at] : a.lane[at];
  return a;
}

/* VPCMPUQ "not less or equal" into a mask. */
static inline LaneMask lanes_above(Lanes a, Lanes b) {
  LaneMask above = 0;
  EACH_LANE above |= (LaneMask)((unsigned)(a.lane[at] > b.lane[at]) << at);
  return above;
}

/* VMOVQ, out of a register and into one, where the other lanes become zero. */
static inline uint64_t lowest_lane(Lanes a) { return a.lane[0]; }

static inline Lanes in_lowest_lane(uint64_t value) {
  Lanes out = all_lanes(0);
  out.lane[0] = value;
  return out;
}

/* VALIGNQ: sixteen lanes, moved down by one or by seven; the lowest eight are left. */
static inline Lanes one_lane_down(Lanes above, Lanes a) {
  for (int at = 0; at < LANES - 1; at++) a.lane[at] = a.lane[at + 1];
  a.lane[LANES - 1] = above.lane[0];
  return a;
}

static inline Lanes one_lane_up(Lanes a, Lanes below) {
  for (int at = LANES - 1; at; at--) a.lane[at] = a.lane[at - 1];
  a.lane[0] = below.lane[LANES - 1];
  return a;
}

#endif
#endif
