// Import: every field wrong in turn, then a hundred thousand tensors of random fields, under the sanitizers
// in the asan build. Export: round trips, ownership, and deleters that are called once.
#include "ostend/adapt/dlpack.hpp"

#include "support/expects.hpp"

#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

using namespace ostend;

namespace {

/// A good tensor [2, 3] of f32, whose fields a test then spoils.
struct sample {
    std::vector<float> data = {1, 2, 3, 4, 5, 6};
    std::array<std::int64_t, 2> shape{2, 3};
    std::array<std::int64_t, 2> strides{3, 1};
    DLTensor tensor{};

    sample() {
        tensor.data = data.data();
        tensor.device = {kDLCPU, 0};
        tensor.ndim = 2;
        tensor.dtype = {kDLFloat, 32, 1};
        tensor.shape = shape.data();
        tensor.strides = strides.data();
    }
    sample(const sample&) = delete;
    sample& operator=(const sample&) = delete;

    [[nodiscard]] std::string failure() const {
        const auto view = from_dlpack<float, 2>(tensor);
        return view ? "(imported)" : view.error().message();
    }
};

bool starts_with(const std::string& text, const std::string& part) { return text.rfind(part, 0) == 0; }

constexpr auto most = std::numeric_limits<std::int64_t>::max();
constexpr auto least = std::numeric_limits<std::int64_t>::min();

} // namespace

TEST_CASE("strides given, left out, negative and zero") {
    sample s;
    auto view = from_dlpack<float, 2>(s.tensor);
    REQUIRE(view);
    CHECK((*view)(1, 2) == 6);
    static_assert(std::is_same_v<decltype(view), result<tensor_view<const float, 2>>>);

    s.tensor.strides = nullptr;
    CHECK((*from_dlpack<float, 2>(s.tensor))(1, 0) == 4);

    s.tensor.strides = s.strides.data();
    s.strides = {-3, -1};
    s.tensor.byte_offset = 5 * sizeof(float);
    CHECK((*from_dlpack<float, 2>(s.tensor))(0, 0) == 6);
    CHECK((*from_dlpack<float, 2>(s.tensor))(1, 2) == 1);

    s.strides = {0, 0};
    CHECK((*from_dlpack<float, 2>(s.tensor))(1, 2) == 6);
}

TEST_CASE("unaligned data and byte offsets are read by load") {
    sample s;
    std::vector<unsigned char> bytes(64);
    std::memcpy(bytes.data() + 7, s.data.data(), 24);
    s.tensor.data = bytes.data();
    s.tensor.byte_offset = 7;
    const auto view = from_dlpack<float, 2>(s.tensor);
    REQUIRE(view);
    CHECK(view->load(0, 0) == 1);
    CHECK(view->load(1, 1) == 5);
}

TEST_CASE("empty tensors may have null data and any strides") {
    sample s;
    s.shape = {0, 3};
    s.strides = {most, least};
    s.tensor.data = nullptr;
    s.tensor.byte_offset = ~std::uint64_t{0};
    const auto view = from_dlpack<float, 2>(s.tensor);
    REQUIRE(view);
    CHECK(view->extents() == std::array<ostend::index, 2>{0, 3});
    CHECK(view->is_contiguous());
}

TEST_CASE("strides of axes with one position mean nothing") {
    sample s;
    s.shape = {1, 3};
    s.strides = {least, 1};
    const auto view = from_dlpack<float, 2>(s.tensor);
    REQUIRE(view);
    CHECK(view->stride(0) == 3);
    CHECK((*view)(0, 2) == 3);
}

TEST_CASE("each wrong field is named") {
    SUBCASE("device") {
        sample s;
        s.tensor.device.device_type = kDLCUDA;
        CHECK(starts_with(s.failure(), "DLTensor.device: device type 2 is not memory of the host"));
        s.tensor.device.device_type = kDLCUDAHost; // pinned memory of the host
        CHECK(s.failure() == "(imported)");
    }
    SUBCASE("dtype") {
        sample s;
        for (const DLDataType type :
             {DLDataType{kDLFloat, 16, 1}, DLDataType{kDLFloat, 64, 1}, DLDataType{kDLInt, 32, 1},
              DLDataType{kDLFloat, 32, 2}, DLDataType{kDLFloat, 32, 0}, DLDataType{kDLBfloat, 32, 1},
              DLDataType{99, 32, 1}}) {
            s.tensor.dtype = type;
            CHECK(starts_with(s.failure(), "DLTensor.dtype: code"));
        }
    }
    SUBCASE("ndim") {
        sample s;
        for (const int ndim : {-1, 0, 1, 3, std::numeric_limits<int>::max()}) {
            s.tensor.ndim = ndim;
            CHECK(starts_with(s.failure(), "DLTensor.ndim: " + std::to_string(ndim) + " axes where 2"));
        }
    }
    SUBCASE("shape") {
        sample s;
        s.shape = {2, -3};
        CHECK(s.failure() == "DLTensor.shape: the extent -3 is negative (at 1)");
        s.shape = {most, 3};
        CHECK(starts_with(s.failure(), "DLTensor.shape: more elements"));
        s.shape = {std::int64_t{1} << 31, std::int64_t{1} << 30}; // the elements fit, their bytes do not
        CHECK(starts_with(s.failure(), "DLTensor.shape: more elements"));
        s.tensor.shape = nullptr;
        CHECK(starts_with(s.failure(), "DLTensor.shape: the pointer is null"));
    }
    SUBCASE("strides") {
        sample s;
        for (const std::int64_t stride :
             {most, least, most / 4, least / 4, std::int64_t{1} << 61, -(std::int64_t{1} << 61)}) {
            s.strides = {stride, 1};
            CHECK(starts_with(s.failure(), "DLTensor.strides: the strides leave"));
        }
        s.strides = {most / 8, most / 8}; // each alone would fit
        CHECK(starts_with(s.failure(), "DLTensor.strides: the strides leave"));
        // Backwards past address 0.
        s.strides = {-static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(s.data.data()) / 4 + 1), 1};
        CHECK(starts_with(s.failure(), "DLTensor.strides: the strides leave"));
    }
    SUBCASE("data and byte_offset") {
        sample s;
        s.tensor.byte_offset = ~std::uint64_t{0};
        CHECK(starts_with(s.failure(), "DLTensor.byte_offset: 18446744073709551615 leaves"));
        s.tensor.byte_offset = 0;
        s.tensor.data = nullptr;
        CHECK(starts_with(s.failure(), "DLTensor.data: the pointer is null"));
    }
}

TEST_CASE("tensors of random fields are imported as a model says, or refused; imported ones can be read") {
    std::mt19937_64 random(99);
    constexpr std::int64_t elements = 4096;
    std::vector<float> memory(elements);
    std::iota(memory.begin(), memory.end(), 0.0F);
    int imported = 0;
    int refused = 0;
    for (int round = 0; round < 100000; ++round) {
        const auto one_in = [&](unsigned n) { return random() % n == 0; };
        std::array<std::int64_t, 3> shape{};
        std::array<std::int64_t, 3> strides{};
        const auto wild = [&]() -> std::int64_t {
            const auto bits = static_cast<std::int64_t>(random());
            return bits >> (random() % 64);
        };
        for (std::size_t a = 0; a < 3; ++a) {
            shape[a] = one_in(12) ? wild() : static_cast<std::int64_t>(random() % 5);
            strides[a] = one_in(12) ? wild() : static_cast<std::int64_t>(random() % 200) - 100;
        }
        DLTensor t{};
        t.data = one_in(30) ? nullptr : memory.data();
        const int device = one_in(30) ? static_cast<int>(random()) : static_cast<int>(kDLCPU);
        std::memcpy(&t.device.device_type, &device, sizeof(device));
        t.ndim = one_in(30) ? static_cast<int>(random()) : 3;
        t.dtype = {kDLFloat, 32, 1};
        if (one_in(30)) {
            t.dtype = {static_cast<std::uint8_t>(random()), static_cast<std::uint8_t>(random()),
                       static_cast<std::uint16_t>(random())};
        }
        t.shape = one_in(50) ? nullptr : shape.data();
        const bool compact = one_in(4);
        t.strides = compact ? nullptr : strides.data();
        t.byte_offset = one_in(30) ? random() : 4 * (random() % elements);

        // The model: exact sums in long double, whose 64 bits of mantissa hold what the limits ask.
        const bool fields = (device == 1 || device == 3 || device == 11) && t.ndim == 3 &&
                            t.dtype.code == kDLFloat && t.dtype.bits == 32 && t.dtype.lanes == 1 &&
                            t.shape != nullptr && shape[0] >= 0 && shape[1] >= 0 && shape[2] >= 0;
        long double count = 4;
        long double low = 0;
        long double high = 0;
        bool empty = false;
        if (fields) {
            for (std::size_t a = 3; a-- > 0;) {
                empty = empty || shape[a] == 0;
                const long double stride = compact ? count / 4 : static_cast<long double>(strides[a]);
                const long double reach =
                    shape[a] > 1 ? 4 * stride * static_cast<long double>(shape[a] - 1) : 0;
                (reach < 0 ? low : high) += reach;
                count *= static_cast<long double>(std::max<std::int64_t>(shape[a], 1));
            }
        }
        const auto offset = static_cast<long double>(t.byte_offset);
        const long double base =
            static_cast<long double>(reinterpret_cast<std::uintptr_t>(memory.data())) + offset;
        const long double limit = 0x1p63L;
        const bool fits = count < limit && (empty || (t.data != nullptr && offset < limit &&
                                                      base < 2 * limit && base + low >= 0 && low >= -limit &&
                                                      high + 4 < limit && base + high + 4 < 2 * limit));
        const auto view = from_dlpack<float, 3>(t);
        REQUIRE(view.has_value() == (fields && fits));
        if (!view) {
            ++refused;
            REQUIRE(starts_with(view.error().field, "DLTensor."));
            continue;
        }
        ++imported;
        // Reads the corners where the tensor lies within the memory that there is.
        if (!empty && offset + low >= 0 && offset + high + 4 <= 4.0L * elements) {
            for (int corner = 0; corner < 8; ++corner) {
                std::array<ostend::index, 3> p{};
                std::int64_t expected = static_cast<std::int64_t>(t.byte_offset / 4);
                std::int64_t step = 1;
                for (std::size_t a = 3; a-- > 0;) {
                    p[a] = (corner >> a) % 2 != 0 ? shape[a] - 1 : 0;
                    expected += p[a] == 0 ? 0 : p[a] * (compact ? step : strides[a]);
                    step *= shape[a];
                }
                if (t.byte_offset % 4 == 0) {
                    REQUIRE(view->load(p[0], p[1], p[2]) == static_cast<float>(expected));
                } else {
                    (void)view->load(p[0], p[1], p[2]);
                }
            }
        }
    }
    CHECK(imported > 10000);
    CHECK(refused > 10000);
}

TEST_CASE("every element type is imported as itself, and visit finds it") {
    alignas(8) std::array<unsigned char, 16> bytes{};
    std::int64_t extent = 2;
    DLTensor t{};
    t.data = bytes.data();
    t.device = {kDLCPU, 0};
    t.ndim = 1;
    t.shape = &extent;
    const auto check = [&]<class T>(T one, DLDataType type) {
        std::memcpy(bytes.data() + sizeof(T), &one, sizeof(T));
        t.dtype = type;
        const auto view = from_dlpack<T, 1>(t);
        REQUIRE(view);
        CHECK(to_float(view->load(1)) == 3.0F);
        int calls = 0;
        const auto done = visit_dlpack<1>(t, [&](const auto& v) {
            ++calls;
            CHECK(std::is_same_v<std::remove_cvref_t<decltype(v)>, tensor_view<const T, 1>>);
            CHECK(to_float(v.load(1)) == 3.0F);
        });
        CHECK(done);
        CHECK(calls == 1);
    };
    check(3.0F, {kDLFloat, 32, 1});
    check(3.0, {kDLFloat, 64, 1});
    check(to_f16(3), {kDLFloat, 16, 1});
    check(to_bf16(3), {kDLBfloat, 16, 1});
    check(std::int8_t{3}, {kDLInt, 8, 1});
    check(std::int16_t{3}, {kDLInt, 16, 1});
    check(std::int32_t{3}, {kDLInt, 32, 1});
    check(std::int64_t{3}, {kDLInt, 64, 1});
    check(std::uint8_t{3}, {kDLUInt, 8, 1});
    check(std::uint16_t{3}, {kDLUInt, 16, 1});
    check(std::uint32_t{3}, {kDLUInt, 32, 1});
    check(std::uint64_t{3}, {kDLUInt, 64, 1});
    check(std::uint8_t{3}, {6, 8, 1}); // DLPack's boolean
}

TEST_CASE("visit tells what is wrong") {
    sample s;
    bool called = false;
    const auto f = [&](const auto&) { called = true; };
    s.tensor.dtype = {kDLComplex, 64, 1};
    CHECK(visit_dlpack<2>(s.tensor, f).error().field == "DLTensor.dtype");
    s.tensor.dtype = {kDLFloat, 32, 1};
    CHECK(visit_dlpack<3>(s.tensor, f).error().field == "DLTensor.ndim");
    CHECK(!called);
}

TEST_CASE("memory of a device becomes a view that cannot be read") {
    sample s;
    CHECK(from_dlpack_device<float, 2>(s.tensor).error().field == "DLTensor.device");
    s.tensor.device = {kDLCUDA, 1};
    const auto view = from_dlpack_device<float, 2>(s.tensor);
    REQUIRE(view);
    static_assert(
        std::is_same_v<std::remove_cvref_t<decltype(*view)>, tensor_view<const float, 2, device_space>>);
    CHECK(view->data() == s.data.data());
    const auto out = to_dlpack(*view, {kDLCUDA, 1});
    CHECK(out->dl_tensor.device.device_id == 1);
    CHECK_EXPECTS(to_dlpack(*view), "the device is not of the view's memory space");
}

TEST_CASE("a matrix is exported with its memory, and comes back") {
    matrix<float> m(2, 3);
    m(1, 2) = 7;
    const float* memory = m.values().data();
    dlpack_ptr out = to_dlpack(std::move(m));
    CHECK(out->dl_tensor.data == memory);
    DLManagedTensor* handed = out.release(); // to a consumer, who keeps it and then deletes it
    {
        const dlpack_ptr kept(handed);
        const auto view = from_dlpack<float, 2>(kept->dl_tensor);
        REQUIRE(view);
        CHECK((*view)(1, 2) == 7);
        CHECK(view->extents() == std::array<ostend::index, 2>{2, 3});
    }
    const dlpack_ptr empty = to_dlpack(matrix<double>(0, 4));
    CHECK(from_dlpack<double, 2>(empty->dl_tensor)->extent(1) == 4);
}

TEST_CASE("a view is exported with its strides and borrows its memory") {
    std::vector<bf16> data(24);
    for (std::size_t i = 0; i < data.size(); ++i) {
        data[i] = to_bf16(static_cast<float>(i));
    }
    const tensor_view<const bf16, 3> whole(data.data(), {2, 3, 4});
    const tensor_view<const bf16, 3> view = whole.permuted({2, 0, 1}).range(0, 1, 2, 2);
    const dlpack_ptr out = to_dlpack(view);
    const auto back = from_dlpack<bf16, 3>(out->dl_tensor);
    REQUIRE(back);
    CHECK(back->data() == view.data());
    CHECK(back->extents() == view.extents());
    CHECK(back->strides() == view.strides());
    CHECK(to_float((*back)(1, 1, 2)) == 23.0F);
}

TEST_CASE("a consumer's pointer calls the producer's deleter once, if there is one") {
    static int deleted = 0;
    DLManagedTensor theirs{};
    theirs.deleter = [](DLManagedTensor*) { ++deleted; };
    { const dlpack_ptr kept(&theirs); }
    CHECK(deleted == 1);
    theirs.deleter = nullptr;
    { const dlpack_ptr kept(&theirs); }
    CHECK(deleted == 1);
}
