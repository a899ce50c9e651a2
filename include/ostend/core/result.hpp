// result<T>: a value or an error, for untrusted bytes and user data. Nothing here throws.
//
//     result<image> read(path);
//     if (auto r = read(p)) use(*r); else print(r.error().message());
//
// Misuse of the API by the programmer is a precondition (core/expects.hpp), not a result.
#pragma once

#include "ostend/core/expects.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace ostend::inline v0 {

/// What went wrong, in which field or file, and at which position (byte, index) where one is known.
struct error {
    std::string what;                   ///< a sentence without a full stop
    std::string field = {};             ///< the file, field or argument that was wrong; may be empty
    std::optional<std::size_t> at = {}; ///< byte offset or element index

    [[nodiscard]] std::string message() const {
        std::string text = field.empty() ? what : field + ": " + what;
        if (at) {
            text += " (at " + std::to_string(*at) + ")";
        }
        return text;
    }
    /// The same error seen from a caller that knows the name of the whole (a file, a record).
    [[nodiscard]] error in(const std::string& outer) const {
        return {what, field.empty() ? outer : outer + ": " + field, at};
    }
};

template <class T>
class [[nodiscard]] result {
public:
    using value_type = T;

    result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    result(ostend::error e) : state_(std::in_place_index<1>, std::move(e)) {}

    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] T& value() & { return require(), *std::get_if<0>(&state_); }
    [[nodiscard]] const T& value() const& { return require(), *std::get_if<0>(&state_); }
    [[nodiscard]] T value() && { return require(), std::move(*std::get_if<0>(&state_)); }
    [[nodiscard]] T& operator*() & { return value(); }
    [[nodiscard]] const T& operator*() const& { return value(); }
    [[nodiscard]] T operator*() && { return std::move(*this).value(); }
    [[nodiscard]] T* operator->() { return &value(); }
    [[nodiscard]] const T* operator->() const { return &value(); }

    [[nodiscard]] const ostend::error& error() const {
        OSTEND_EXPECTS_ALWAYS(!has_value(), "result::error: this result holds a value");
        return *std::get_if<1>(&state_);
    }

private:
    void require() const {
        OSTEND_EXPECTS_ALWAYS(has_value(), "result::value: " + std::get_if<1>(&state_)->message());
    }
    std::variant<T, ostend::error> state_;
};

/// The outcome of an action without a value.
struct success {};
using status = result<success>;

} // namespace ostend::inline v0
