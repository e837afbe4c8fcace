// A host written in C++: the header compiles as C++17 and the enums have their types.
//
// usage: capture LIBRARY DIRECTORY
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <type_traits>
#include <vector>

#include "nashtrace.h"

namespace {

constexpr int kThreads = 3;
constexpr std::uint64_t kEvents = 200;
constexpr std::uint32_t kTimeoutMs = 20000;

static_assert(std::is_same_v<std::underlying_type_t<nashtrace_status>, std::uint32_t>);
static_assert(std::is_same_v<std::underlying_type_t<nashtrace_clock>, std::uint8_t>);
static_assert(std::is_standard_layout_v<nashtrace_decision>);
static_assert(sizeof(nashtrace_head) == 24 && sizeof(nashtrace_decision) == 152);
static_assert(sizeof(nashtrace_candidate) == 96 && sizeof(nashtrace_request) == 80);

void check(bool condition, const char *what) {
    if (!condition) {
        std::fprintf(stderr, "capture.cpp: %s\n", what);
        std::exit(1);
    }
}

// A caller of a later version: its rows are longer than the library's.
struct later_candidate {
    nashtrace_candidate known{};
    std::uint64_t added = 42;
};

void record(const nashtrace_api &api, std::uint64_t thread) {
    std::vector<later_candidate> candidates(5);
    for (std::size_t row = 0; row < candidates.size(); ++row) {
        candidates[row].known.worker = row;
        candidates[row].known.cost = static_cast<double>(row);
        candidates[row].known.preferred_taint_multiplier = 1.0;
    }
    for (std::uint64_t event = 0; event < kEvents; ++event) {
        nashtrace_decision decision{};
        decision.head.struct_size = sizeof decision;
        decision.head.clock = NASHTRACE_CLOCK_TICKS;
        decision.request = thread * kEvents + event + 1;
        decision.chosen = static_cast<std::uint32_t>(event % candidates.size());
        decision.mode = NASHTRACE_MODE_ADVISORY;
        decision.block_size = 64;
        const auto count = static_cast<std::uint32_t>(candidates.size());
        const nashtrace_status status =
            api.decision(&decision, &candidates[0].known, count, sizeof(later_candidate));
        check(status == NASHTRACE_STATUS_OK, "a decision is recorded");
    }
}

}  // namespace

int main(int argc, char **argv) {
    check(argc == 3, "usage: capture LIBRARY DIRECTORY");
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    check(library != nullptr, "the library loads");
    const auto get_api =
        reinterpret_cast<decltype(&nashtrace_get_api)>(dlsym(library, "nashtrace_get_api"));
    check(get_api != nullptr, "the entry symbol is exported");
    const nashtrace_api *api = get_api(NASHTRACE_ABI_VERSION);
    check(api != nullptr && api->struct_size >= sizeof *api, "the table is whole");

    nashtrace_session_options options{};
    options.struct_size = sizeof options;
    options.directory = argv[2];
    options.directory_length = std::strlen(argv[2]);
    options.ring_bytes = 1 << 20;
    check(api->session_start(&options) == NASHTRACE_STATUS_OK, "a session starts");
    std::vector<std::thread> threads;
    for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([api, thread] { record(*api, thread); });
    }
    for (auto &thread : threads) {
        thread.join();
    }
    check(api->session_stop(kTimeoutMs) == NASHTRACE_STATUS_OK, "the session stops");

    nashtrace_counters counters{};
    counters.struct_size = sizeof counters;
    check(api->session_counters(&counters, kTimeoutMs) == NASHTRACE_STATUS_OK, "counters are told");
    check(counters.produced == counters.written, "nothing is lost");
    check(counters.produced >= kThreads * kEvents * 6, "all events are counted");
    std::puts("capture.cpp: ok");
    return 0;
}
