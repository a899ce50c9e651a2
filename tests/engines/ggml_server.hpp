// ggml_server: a device whose memory is that of another process: llama.cpp's RPC server on the processor, at
// this machine's own address. What reads a device's pointer as its own dies of it.
#pragma once

#include <doctest/doctest.h>
#include <ggml-backend.h>
#include <ggml-rpc.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>

namespace ostend_test {

class ggml_server {
public:
    /// The server runs until the end of this process. One thread: what is forked has no others.
    ggml_server() {
        const int port = free_port();
        endpoint_ = "127.0.0.1:" + std::to_string(port);
        child_ = fork();
        REQUIRE(child_ >= 0);
        if (child_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            static_cast<void>(std::freopen("/dev/null", "w", stdout));
            static_cast<void>(std::freopen("/dev/null", "w", stderr));
            ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
            ggml_backend_rpc_start_server(endpoint_.c_str(), nullptr, 1, 1, &cpu);
            _exit(1);
        }
        bool listens = false;
        for (int tries = 0; tries < 1000 && !listens; ++tries) {
            usleep(10000);
            const int s = socket(AF_INET, SOCK_STREAM, 0);
            const sockaddr_in to = address(port);
            listens = connect(s, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
            close(s);
        }
        REQUIRE_MESSAGE(listens, "no server at " << endpoint_);
        registry_ = ggml_backend_rpc_add_server(endpoint_.c_str());
        REQUIRE((registry_ != nullptr));
    }
    ggml_server(const ggml_server&) = delete;
    ggml_server& operator=(const ggml_server&) = delete;
    ~ggml_server() {
        kill(child_, SIGKILL);
        waitpid(child_, nullptr, 0);
    }
    [[nodiscard]] ggml_backend_reg_t registry() const { return registry_; }
    [[nodiscard]] ggml_backend_dev_t device() const { return ggml_backend_reg_dev_get(registry_, 0); }

private:
    static sockaddr_in address(int port) {
        sockaddr_in out{};
        out.sin_family = AF_INET;
        out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        out.sin_port = htons(static_cast<std::uint16_t>(port));
        return out;
    }
    static int free_port() {
        const int s = socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in any = address(0);
        socklen_t size = sizeof(any);
        REQUIRE(bind(s, reinterpret_cast<const sockaddr*>(&any), size) == 0);
        REQUIRE(getsockname(s, reinterpret_cast<sockaddr*>(&any), &size) == 0);
        close(s);
        return ntohs(any.sin_port);
    }
    std::string endpoint_ = {};
    pid_t child_ = -1;
    ggml_backend_reg_t registry_ = nullptr;
};

} // namespace ostend_test
