/* Built without the instructions that it asks about, so that any processor of the family can run it. */

__attribute__((visibility("default"))) int kernel_runs_here(void) {
#ifdef PORTABLE_LANES
  return 1;
#else
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512ifma");
#endif
}
