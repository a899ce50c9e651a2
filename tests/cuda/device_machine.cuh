// device_machine: the cases of this folder on the current GPU. Memory of every upload is the device's.
#pragma once

#include "ostend/cuda/stream.cuh"
#include "ostend/cuda/workspace.hpp"

#include <cuda_runtime.h>

#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace ostend_test {

inline void require(cudaError_t code) {
    if (code != cudaSuccess) {
        throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(code));
    }
}

inline bool has_device() {
    int count = 0;
    return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

/// Device memory that is freed with it.
class device_bytes {
public:
    explicit device_bytes(std::size_t bytes) { require(cudaMalloc(&data_, bytes > 0 ? bytes : 1)); }
    device_bytes(device_bytes&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
    device_bytes& operator=(device_bytes&& other) noexcept {
        std::swap(data_, other.data_);
        return *this;
    }
    ~device_bytes() { static_cast<void>(cudaFree(data_)); }
    [[nodiscard]] void* data() const { return data_; }

private:
    void* data_ = nullptr;
};

template <class T>
class device_buffer {
public:
    explicit device_buffer(const std::vector<T>& values)
        : bytes_(values.size() * sizeof(T)), size_(values.size()) {
        require(cudaMemcpy(bytes_.data(), values.data(), size_ * sizeof(T), cudaMemcpyHostToDevice));
        require(
            cudaDeviceSynchronize()); // the copy may be under way still, and the streams do not wait for it
    }
    [[nodiscard]] T* data() { return static_cast<T*>(bytes_.data()); }
    [[nodiscard]] ostend::index size() const { return static_cast<ostend::index>(size_); }
    [[nodiscard]] std::vector<T> read() const {
        std::vector<T> values(size_);
        require(cudaDeviceSynchronize());
        require(cudaMemcpy(values.data(), bytes_.data(), size_ * sizeof(T), cudaMemcpyDeviceToHost));
        return values;
    }

private:
    device_bytes bytes_;
    std::size_t size_;
};

class device_memory {
public:
    explicit device_memory(ostend::index bytes) : bytes_(static_cast<std::size_t>(bytes)), size_(bytes) {
        require(cudaMemset(bytes_.data(), 0xA5, static_cast<std::size_t>(bytes)));
        require(cudaDeviceSynchronize());
    }
    [[nodiscard]] ostend::device_workspace view() {
        return {static_cast<std::byte*>(bytes_.data()), {size_}};
    }

private:
    device_bytes bytes_;
    ostend::index size_;
};

class device_machine {
public:
    static constexpr float slack = 20; ///< tensor cores sum in an order and rounding of their own

    device_machine() { require(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)); }
    ~device_machine() { static_cast<void>(cudaStreamDestroy(stream_)); }
    device_machine(const device_machine&) = delete;
    device_machine& operator=(const device_machine&) = delete;

    [[nodiscard]] ostend::cuda stream(unsigned /*seed*/) const { return {stream_}; }
    template <class T>
    [[nodiscard]] device_buffer<T> upload(const std::vector<T>& values) const {
        return device_buffer<T>(values);
    }
    [[nodiscard]] device_memory workspace(ostend::index bytes) const { return device_memory(bytes); }

private:
    cudaStream_t stream_ = nullptr;
};

} // namespace ostend_test
