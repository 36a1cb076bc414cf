// The kernels on a CPU: every thread of a block is a fiber that runs until it must wait for others. For tests.
//
// The order in which fibers run is the caller's, so that a result which depends on it, as with a barrier forgotten, shows. Behind
// the shared memory that a launch asks for lies a page that must not be touched.

#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <vector>

#define EMULATED
#define __device__
#define __global__
#define __launch_bounds__(threads)

struct float4 {
    float x, y, z, w;
};
struct Index {
    unsigned x;
};

static Index threadIdx, blockIdx, gridDim;
static float4 *shared_memory;
#define SHARED_MEMORY(name) float4 *name = shared_memory

static inline float rsqrtf(float x) { return 1 / std::sqrt(x); }
static inline unsigned __float_as_uint(float x) {
    unsigned bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
}
static inline float __uint_as_float(unsigned bits) {
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

namespace {

constexpr size_t STACK = 1 << 16;
constexpr unsigned LANES = 32;

struct Barrier {
    unsigned members = 0, arrived = 0, round = 0;
};
struct Fiber {
    ucontext_t entry;
    jmp_buf place;
    std::vector<char> stack = std::vector<char>(STACK);
    const struct Barrier *waits_at;
    bool begun, done;
};

jmp_buf scheduler;
std::vector<Fiber> fibers;
std::vector<Barrier> warps;
Barrier block;
float exchanged[1024];

// A context begins a fiber; from then on jumps are quicker, as they leave the signal mask alone.
void pause_fiber() {
    if (!_setjmp(fibers[threadIdx.x].place)) _longjmp(scheduler, 1);
}

void resume(Fiber &fiber) {
    if (_setjmp(scheduler)) return;
    if (fiber.begun) _longjmp(fiber.place, 1);
    fiber.begun = true;
    setcontext(&fiber.entry);
}

// A fiber that ends counts as one that has arrived everywhere for good.
void release(Barrier &barrier) {
    if (barrier.members > 0 && barrier.arrived >= barrier.members) {
        barrier.arrived = 0;
        barrier.round++;
    }
}

void wait_at(Barrier &barrier) {
    unsigned round = barrier.round;
    barrier.arrived++;
    release(barrier);
    fibers[threadIdx.x].waits_at = &barrier;
    while (barrier.round == round) pause_fiber();
    fibers[threadIdx.x].waits_at = nullptr;
}

void leave(Barrier &barrier) {
    barrier.members--;
    release(barrier);
}

} // namespace

static inline void __syncthreads() { wait_at(block); }
static inline void __syncwarp() { wait_at(warps[threadIdx.x / LANES]); }
static inline float __shfl_xor_sync(unsigned, float x, int lane) {
    exchanged[threadIdx.x] = x;
    __syncwarp();
    float other = exchanged[threadIdx.x ^ (unsigned)lane];
    __syncwarp();
    return other;
}

#include "kernels.cu"

namespace {

using Kernel = void (*)(Call);

Kernel running;
const Call *argument;

void begin() {
    running(*argument);
    fibers[threadIdx.x].done = true;
    leave(block);
    leave(warps[threadIdx.x / LANES]);
    pause_fiber();
}

// Runs the fibers first..end once each, in rising or falling order; whether any of them has gone on, or may go on without others.
bool run_once(unsigned first, unsigned end, bool falling) {
    bool any = false;
    for (unsigned i = first; i < end; i++) {
        threadIdx.x = falling ? first + end - 1 - i : i;
        Fiber &fiber = fibers[threadIdx.x];
        if (fiber.done) continue;
        resume(fiber);
        any |= !fiber.done && fiber.waits_at != &block;
    }
    return any;
}

void run_block(unsigned threads, unsigned order) {
    fibers.resize(threads);
    warps.assign((threads + LANES - 1) / LANES, Barrier());
    block = Barrier();
    block.members = threads;
    for (unsigned i = 0; i < threads; i++) {
        warps[i / LANES].members++;
        Fiber &fiber = fibers[i];
        fiber.begun = fiber.done = false;
        fiber.waits_at = nullptr;
        getcontext(&fiber.entry);
        fiber.entry.uc_stack.ss_sp = fiber.stack.data();
        fiber.entry.uc_stack.ss_size = fiber.stack.size();
        fiber.entry.uc_link = nullptr;
        makecontext(&fiber.entry, begin, 0);
    }
    // Side by side, or each warp as far as it comes alone; from the first or from the last.
    bool falling = order & 1, alone = order & 2;
    auto running = [](const Fiber &fiber) { return !fiber.done; };
    while (std::any_of(fibers.begin(), fibers.end(), running)) {
        for (unsigned at = 0; at < warps.size(); at++) {
            unsigned warp = falling ? warps.size() - 1 - at : at;
            while (run_once(warp * LANES, std::min(threads, (warp + 1) * LANES), falling) && alone) {}
        }
    }
}

} // namespace

// Runs the kernel of that name; 0, or what went wrong.
extern "C" const char *emulate(const char *name, const Call *call, unsigned blocks, unsigned threads, size_t shared, unsigned order) {
    running = nullptr;
#define FIND(kernel) \
    if (!std::strcmp(name, #kernel "_f32")) running = kernel##_f32; \
    if (!std::strcmp(name, #kernel "_bf16")) running = kernel##_bf16;
    FOR_EVERY_KERNEL(FIND)
    if (!running) return "no such kernel";
    if (threads > sizeof exchanged / sizeof *exchanged) return "too many threads";
    argument = call;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (shared + page - 1) / page * page;
    char *memory = (char *)mmap(nullptr, pages + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + pages, page, PROT_NONE)) return "no memory";
    shared_memory = (float4 *)(memory + pages - shared);
    gridDim.x = blocks;
    for (unsigned i = 0; i < blocks; i++) {
        blockIdx.x = i;
        std::memset(memory, 0xff, pages); // NaN: nothing may be left of another block
        run_block(threads, order);
    }
    munmap(memory, pages + page);
    return nullptr;
}
