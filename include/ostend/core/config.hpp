// The only header with #if: instruction set, check level, refused compiler modes.
//
// Plain data lives in ostend::v0. Functions live in ostend::OSTEND_KERNELS, an inline namespace spelled
// from the instruction set and the check level, so that two translation units compiled with different
// flags link together without one silently using the other's code (one-definition rule).
#pragma once

#include <version>

#if defined(__FAST_MATH__)
#error "ostend: -ffast-math removes NaN checks and reorders sums; compile without it"
#endif

#if __cplusplus < 202002L
#error "ostend needs C++20 (-std=c++20)"
#endif

// 1: OSTEND_EXPECTS checks preconditions (the default). 0: they are assumed.
#if !defined(OSTEND_CHECKS)
#define OSTEND_CHECKS 1
#endif

#if defined(__AVX512F__) && defined(__AVX512BW__)
#define OSTEND_ISA avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define OSTEND_ISA avx2
#elif defined(__ARM_NEON)
#define OSTEND_ISA neon
#else
#define OSTEND_ISA baseline
#endif

#define OSTEND_JOIN_(a, b) a##_##b
#define OSTEND_JOIN(a, b) OSTEND_JOIN_(a, b)

#if OSTEND_CHECKS
#define OSTEND_KERNELS OSTEND_JOIN(OSTEND_ISA, checked)
#define OSTEND_EXPECTS(condition, sentence) OSTEND_EXPECTS_ALWAYS(condition, sentence)
#else
#define OSTEND_KERNELS OSTEND_JOIN(OSTEND_ISA, unchecked)
// Not evaluated, and yet used: no warning of a parameter that only a precondition reads.
#define OSTEND_EXPECTS(condition, sentence)                                                                  \
    (static_cast<void>(sizeof(static_cast<bool>(condition))), static_cast<void>(sizeof(sentence)))
#endif

// The sentence is evaluated only when the condition fails, so it may concatenate strings.
#define OSTEND_EXPECTS_ALWAYS(condition, sentence)                                                           \
    (static_cast<bool>(condition)                                                                            \
         ? static_cast<void>(0)                                                                              \
         : ::ostend::expectation_failed(sentence, {__FILE__, __LINE__, static_cast<const char*>(__func__)}))

// Kernels chosen at run time exist for x86-64; on other processors the second header stands in their place.
#if defined(__x86_64__)
#define OSTEND_ON_X86(header, otherwise) header
#else
#define OSTEND_ON_X86(header, otherwise) otherwise
#endif

// What only Linux has; elsewhere the second argument stands in its place.
#if defined(__linux__)
#define OSTEND_ON_LINUX(here, otherwise) here
#else
#define OSTEND_ON_LINUX(here, otherwise) otherwise
#endif

// Bodies of CUDA kernels are plain C++ that nvcc compiles for the device and every compiler for the host; the
// second macro takes its first argument in device code and its second elsewhere.
#if defined(__CUDACC__)
#define OSTEND_DEVICE __host__ __device__ __forceinline__
#else
#define OSTEND_DEVICE inline
#endif
#if defined(__CUDA_ARCH__)
#define OSTEND_ON_DEVICE(device, host) device
#else
#define OSTEND_ON_DEVICE(device, host) host
#endif

// Unrolls the short loop that follows, so that its accumulators are registers at -O2 too.
#if defined(__CUDA_ARCH__)
#define OSTEND_UNROLL _Pragma("unroll")
#elif defined(__CUDACC__) // its host pass knows neither form
#define OSTEND_UNROLL
#elif defined(__clang__)
#define OSTEND_UNROLL _Pragma("clang loop unroll(full)")
#else
#define OSTEND_UNROLL _Pragma("GCC unroll 16")
#endif

// A try block that hosts without exceptions can compile.
#if defined(__cpp_exceptions)
#define OSTEND_TRY try
#define OSTEND_CATCH_ALL catch (...)
#else
#define OSTEND_TRY if (true)
#define OSTEND_CATCH_ALL else
#endif
