// What a block does between its matrix products, for a GPU: attention, the normalised sum, the gate; each forwards and backwards.
//
// Storage is f32 or bf16, arithmetic f32. No atomics: a result depends on nothing but the inputs. `emulated.cpp` runs the same
// text on a CPU, thread by thread, so that it is tested where there is no GPU.

#ifndef EMULATED
#define SHARED_MEMORY(name) extern __shared__ float4 name[]
#endif

struct bf16 {
    unsigned short bits;
};

__device__ inline float load(const float *at) { return *at; }
__device__ inline float load(const bf16 *at) { return __uint_as_float((unsigned)at->bits << 16); }
__device__ inline void store(float *at, float x) { *at = x; }
// Rounds to nearest, ties to even; a NaN stays one.
__device__ inline void store(bf16 *at, float x) {
    unsigned bits = __float_as_uint(x);
    unsigned rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
    at->bits = (unsigned short)(x == x ? rounded : 0x7fc0u);
}

// What every kernel is given; `op.rs` has the same. Addresses of operands in the order of the kernel's comment, absent ones 0.
struct Call {
    unsigned long long in[5], out;
    unsigned rows, columns;                       // of what is normalised or gated
    unsigned sequence, heads, head_dim, classes;  // of attention; 0 classes: no relation bias
    unsigned rotated;                             // whether queries and keys turn with their position
    float scale;                                  // 1 / sqrt(head_dim), or epsilon
};

template <typename T> __device__ inline const T *input(const Call &call, int which) { return (const T *)call.in[which]; }
template <typename T> __device__ inline T *output(const Call &call) { return (T *)call.out; }

constexpr unsigned WARP = 32, WARPS = 4, THREADS = WARP * WARPS;
constexpr unsigned TILE = 4;          // vectors that a warp works on at a time, the components of a float4
constexpr unsigned MOST_CLASSES = 16; // of relations
constexpr unsigned ALL_LANES = 0xffffffffu;

__device__ inline float sum_of_warp(float x) {
    for (int step = WARP / 2; step > 0; step /= 2) x += __shfl_xor_sync(ALL_LANES, x, step);
    return x;
}

__device__ inline float4 sum_of_warp(float4 x) {
    return {sum_of_warp(x.x), sum_of_warp(x.y), sum_of_warp(x.z), sum_of_warp(x.w)};
}

__device__ inline float most_of_warp(float x) {
    for (int step = WARP / 2; step > 0; step /= 2) x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, step));
    return x;
}

__device__ inline float4 operator+(float4 a, float4 b) { return {a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w}; }
__device__ inline float4 operator-(float4 a, float4 b) { return {a.x - b.x, a.y - b.y, a.z - b.z, a.w - b.w}; }
__device__ inline float4 operator*(float4 a, float4 b) { return {a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w}; }
__device__ inline float4 operator*(float4 a, float b) { return {a.x * b, a.y * b, a.z * b, a.w * b}; }
__device__ inline float4 exp_of(float4 a) { return {expf(a.x), expf(a.y), expf(a.z), expf(a.w)}; }
__device__ inline float part(const float4 &a, unsigned which) { return (&a.x)[which]; }
__device__ inline float &part(float4 &a, unsigned which) { return (&a.x)[which]; }

// ---------------------------------------------------------------------------------------------------------------------------
// The normalised sum: y = s / sqrt(mean(s^2) + eps), s = x + r. A warp a row.

// in: x, r [rows, columns]; out: y.
template <typename T> __device__ void add_norm(const Call &call) {
    unsigned row = blockIdx.x * WARPS + threadIdx.x / WARP, lane = threadIdx.x % WARP;
    if (row >= call.rows) return;
    size_t start = (size_t)row * call.columns;
    const T *x = input<T>(call, 0) + start, *r = input<T>(call, 1) + start;
    float squares = 0;
    for (unsigned i = lane; i < call.columns; i += WARP) {
        float s = load(x + i) + load(r + i);
        squares += s * s;
    }
    float factor = rsqrtf(sum_of_warp(squares) / call.columns + call.scale);
    for (unsigned i = lane; i < call.columns; i += WARP) {
        store(output<T>(call) + start + i, (load(x + i) + load(r + i)) * factor);
    }
}

// in: x, r, dy; out: ds = factor * (dy - y * mean(dy * y)), the gradient of both x and r.
template <typename T> __device__ void add_norm_back(const Call &call) {
    unsigned row = blockIdx.x * WARPS + threadIdx.x / WARP, lane = threadIdx.x % WARP;
    if (row >= call.rows) return;
    size_t start = (size_t)row * call.columns;
    const T *x = input<T>(call, 0) + start, *r = input<T>(call, 1) + start, *dy = input<T>(call, 2) + start;
    float squares = 0, along = 0;
    for (unsigned i = lane; i < call.columns; i += WARP) {
        float s = load(x + i) + load(r + i);
        squares += s * s;
        along += s * load(dy + i);
    }
    float factor = rsqrtf(sum_of_warp(squares) / call.columns + call.scale);
    float back = sum_of_warp(along) / call.columns * factor * factor;
    for (unsigned i = lane; i < call.columns; i += WARP) {
        float s = load(x + i) + load(r + i);
        store(output<T>(call) + start + i, factor * (load(dy + i) - s * back));
    }
}

// ---------------------------------------------------------------------------------------------------------------------------
// The gate: silu(gate) * up. A thread an element.

__device__ inline float sigmoid(float x) { return 1 / (1 + expf(-x)); }

// in: gate ‖ up [rows, 2 columns]; out: [rows, columns].
template <typename T> __device__ void gate(const Call &call) {
    unsigned at = blockIdx.x * THREADS + threadIdx.x;
    if (at >= call.rows * call.columns) return;
    const T *g = input<T>(call, 0) + at + at / call.columns * call.columns;
    float x = load(g);
    store(output<T>(call) + at, x * sigmoid(x) * load(g + call.columns));
}

// in: gate ‖ up, the gated values' gradient [rows, columns]; out: the gradient of gate ‖ up.
template <typename T> __device__ void gate_back(const Call &call) {
    unsigned at = blockIdx.x * THREADS + threadIdx.x;
    if (at >= call.rows * call.columns) return;
    unsigned first = at + at / call.columns * call.columns;
    const T *g = input<T>(call, 0) + first;
    T *out = output<T>(call) + first;
    float x = load(g), up = load(g + call.columns), d = load(input<T>(call, 1) + at), s = sigmoid(x);
    store(out, d * up * s * (1 + x * (1 - s)));
    store(out + call.columns, d * x * s);
}

// ---------------------------------------------------------------------------------------------------------------------------
// Attention of one head of one sample, a block of threads. Its keys and values (or queries and gradients) lie in shared memory,
// one a row, and each warp compares a tile of four vectors with all of them, a lane a row.

// Rows of a head within [batch * sequence, stride] values.
template <typename T> struct Rows {
    const T *first;
    unsigned stride;
    const float *cos, *sin; // [sequence, head_dim]; 0: not rotated

    __device__ float at(const Call &call, unsigned row, unsigned c) const {
        const T *values = first + (size_t)row * stride;
        float x = load(values + c);
        if (!cos) return x;
        unsigned half = call.head_dim / 2, turn = row * call.head_dim + c;
        float y = c < half ? -load(values + c + half) : load(values + c - half);
        return x * cos[turn] + y * sin[turn];
    }
};

// Where a block's shared memory holds what; `op.rs` has the sizes.
struct Shared {
    float *a, *b;         // [sequence, head_dim + 1], up to whole float4
    float4 *x, *y, *p, *q; // of this warp: tiles [head_dim], [head_dim], and weights [sequence], [sequence]
    float *log_sum, *dot; // [sequence]
    float *bias;          // [MOST_CLASSES]
    float *sums;          // [WARPS, classes, WARP]: every lane adds to a column of its own

    __device__ Shared(const Call &call, float4 *memory, bool backwards) {
        unsigned d = call.head_dim, panel = (call.sequence * (d + 1) + 3) / 4, row = (call.sequence + 3) / 4;
        unsigned tiles = backwards ? 2 : 1, warp = threadIdx.x / WARP;
        a = (float *)memory;
        b = (float *)(memory += panel);
        memory += panel;
        bias = (float *)memory;
        memory += MOST_CLASSES / 4;
        float4 *own = memory + warp * tiles * (d + call.sequence);
        x = own;
        p = x + d;
        y = p + call.sequence;
        q = y + d;
        memory += WARPS * tiles * (d + call.sequence);
        log_sum = (float *)memory;
        dot = (float *)(memory + row);
        sums = (float *)(memory + 2 * row);
    }
};

// All rows of a head into a panel.
template <typename T> __device__ void load_panel(const Call &call, Rows<T> rows, float *panel) {
    for (unsigned row = threadIdx.x / WARP; row < call.sequence; row += WARPS) {
        for (unsigned c = threadIdx.x % WARP; c < call.head_dim; c += WARP) {
            panel[row * (call.head_dim + 1) + c] = rows.at(call, row, c);
        }
    }
}

// Rows start..start + TILE as the components of `tile`; zero behind the end.
template <typename T> __device__ void load_tile(const Call &call, Rows<T> rows, unsigned start, float4 *tile) {
    for (unsigned c = threadIdx.x % WARP; c < call.head_dim; c += WARP) {
#pragma unroll
        for (unsigned t = 0; t < TILE; t++) {
            part(tile[c], t) = start + t < call.sequence ? rows.at(call, start + t, c) : 0;
        }
    }
}

// The products of one row of a panel with the four vectors of a tile.
__device__ inline float4 dots(const Call &call, const float *panel, unsigned row, const float4 *tile) {
    float4 sum = {0, 0, 0, 0};
    const float *values = panel + row * (call.head_dim + 1);
    for (unsigned c = 0; c < call.head_dim; c++) sum = sum + tile[c] * values[c];
    return sum;
}

// The sum of a panel's rows, weighted for each of the four vectors, at component c.
__device__ inline float4 mix(const Call &call, const float *panel, const float4 *weights, unsigned c) {
    float4 sum = {0, 0, 0, 0};
    for (unsigned row = 0; row < call.sequence; row++) sum = sum + weights[row] * panel[row * (call.head_dim + 1) + c];
    return sum;
}

// The relation class of a query and a key; any where one of them is behind the end.
__device__ inline unsigned relation(const Call &call, unsigned query, unsigned key) {
    const unsigned char *classes = input<unsigned char>(call, 2);
    return query < call.sequence && key < call.sequence ? classes[query * call.sequence + key] : 0;
}

// Scores of a query tile against key `key`.
__device__ inline float4 scores(const Call &call, const Shared &shared, unsigned start, unsigned key) {
    float4 score = dots(call, shared.a, key, shared.x) * call.scale;
    if (call.classes == 0) return score;
#pragma unroll
    for (unsigned t = 0; t < TILE; t++) {
        part(score, t) += shared.bias[relation(call, start + t, key)];
    }
    return score;
}

// p = exp(score - most) of a query tile in shared.x with the keys in shared.a; returns the sums, and the largest score in `most`.
__device__ inline float4 weigh(const Call &call, const Shared &shared, unsigned start, float4 &most) {
    unsigned lane = threadIdx.x % WARP;
    most = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};
    for (unsigned key = lane; key < call.sequence; key += WARP) {
        float4 score = scores(call, shared, start, key);
        shared.p[key] = score;
#pragma unroll
        for (unsigned t = 0; t < TILE; t++) part(most, t) = fmaxf(part(most, t), part(score, t));
    }
#pragma unroll
    for (unsigned t = 0; t < TILE; t++) part(most, t) = most_of_warp(part(most, t));
    float4 sum = {0, 0, 0, 0};
    for (unsigned key = lane; key < call.sequence; key += WARP) {
        float4 weight = exp_of(shared.p[key] - most);
        shared.p[key] = weight;
        sum = sum + weight;
    }
    return sum_of_warp(sum);
}

template <typename T> __device__ Rows<T> head_of(const Call &call, const T *values, unsigned parts, unsigned which, bool turns) {
    unsigned sample = blockIdx.x / call.heads, head = blockIdx.x % call.heads, width = call.heads * call.head_dim;
    const float *tables = turns && call.rotated ? input<float>(call, 3) : nullptr;
    unsigned stride = parts * width;
    const T *first = values + (size_t)sample * call.sequence * stride + which * width + head * call.head_dim;
    return {first, stride, tables, tables ? tables + call.sequence * call.head_dim : nullptr};
}

template <typename T> __device__ void load_bias(const Call &call, float *bias) {
    unsigned head = blockIdx.x % call.heads;
    for (unsigned i = threadIdx.x; i < call.classes; i += THREADS) bias[i] = load(input<T>(call, 1) + head * call.classes + i);
}

// in: q ‖ k ‖ v [batch, sequence, 3 width], bias [heads, classes], classes [sequence, sequence] u8, cos ‖ sin [2, sequence,
// head_dim] f32; out: [batch, sequence, width].
template <typename T> __device__ void attention(const Call &call) {
    SHARED_MEMORY(memory);
    Shared shared(call, memory, false);
    const T *qkv = input<T>(call, 0);
    load_panel(call, head_of(call, qkv, 3, 1, true), shared.a);
    load_panel(call, head_of(call, qkv, 3, 2, false), shared.b);
    load_bias<T>(call, shared.bias);
    __syncthreads();

    unsigned lane = threadIdx.x % WARP, width = call.heads * call.head_dim;
    T *out = (T *)head_of(call, (const T *)output<T>(call), 1, 0, false).first;
    for (unsigned start = threadIdx.x / WARP * TILE; start < call.sequence; start += WARPS * TILE) {
        load_tile(call, head_of(call, qkv, 3, 0, true), start, shared.x);
        __syncwarp();
        float4 most, sum = weigh(call, shared, start, most);
        __syncwarp();
        for (unsigned c = lane; c < call.head_dim; c += WARP) {
            float4 mixed = mix(call, shared.b, shared.p, c);
#pragma unroll
            for (unsigned t = 0; t < TILE; t++) {
                if (start + t < call.sequence) store(out + (start + t) * width + c, part(mixed, t) / part(sum, t));
            }
        }
    }
}

// Writes a tile of gradients of rotated rows as those of the rows themselves.
template <typename T> __device__ void store_tile(const Call &call, const float4 *tile, unsigned start, Rows<T> to) {
    unsigned half = call.head_dim / 2;
    for (unsigned c = threadIdx.x % WARP; c < call.head_dim; c += WARP) {
#pragma unroll
        for (unsigned t = 0; t < TILE; t++) {
            if (start + t >= call.sequence) break;
            unsigned row = start + t, turn = row * call.head_dim + c;
            float x = part(tile[c], t);
            if (to.cos) {
                float y = c < half ? part(tile[c + half], t) : -part(tile[c - half], t);
                x = x * to.cos[turn] + y * to.sin[turn];
            }
            store((T *)to.first + (size_t)row * to.stride + c, x);
        }
    }
}

// in: as attention, then the gradient of its output [batch, sequence, width]; out: the gradient of q ‖ k ‖ v, behind it each
// sample's share of the bias' gradient [batch, heads, classes].
template <typename T> __device__ void attention_back(const Call &call) {
    SHARED_MEMORY(memory);
    Shared shared(call, memory, true);
    const T *qkv = input<T>(call, 0);
    T *out = output<T>(call);
    unsigned lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, d = call.head_dim;
    auto queries = head_of(call, qkv, 3, 0, true), keys = head_of(call, qkv, 3, 1, true), values = head_of(call, qkv, 3, 2, false);
    auto gradient = head_of(call, input<T>(call, 4), 1, 0, false);
    load_bias<T>(call, shared.bias);

    // Query by query: dS = P * (dP - sum(P * dP)), dq = scale * dS K, and what dS adds to the bias' gradient.
    load_panel(call, keys, shared.a);
    load_panel(call, values, shared.b);
    __syncthreads();
    float *by_class = shared.sums + warp * call.classes * WARP + lane;
    for (unsigned i = 0; i < call.classes; i++) by_class[i * WARP] = 0;
    for (unsigned start = warp * TILE; start < call.sequence; start += WARPS * TILE) {
        load_tile(call, queries, start, shared.x);
        load_tile(call, gradient, start, shared.y);
        __syncwarp();
        float4 most, sum = weigh(call, shared, start, most), dot = {0, 0, 0, 0};
        float4 share = {1 / sum.x, 1 / sum.y, 1 / sum.z, 1 / sum.w};
        for (unsigned key = lane; key < call.sequence; key += WARP) {
            float4 weight = shared.p[key] * share, slope = dots(call, shared.b, key, shared.y);
            shared.p[key] = weight;
            shared.q[key] = slope;
            dot = dot + weight * slope;
        }
        dot = sum_of_warp(dot);
        for (unsigned key = lane; key < call.sequence; key += WARP) {
            float4 slope = shared.p[key] * (shared.q[key] - dot);
            shared.q[key] = slope;
            if (call.classes == 0) continue;
#pragma unroll
            for (unsigned t = 0; t < TILE; t++) by_class[relation(call, start + t, key) * WARP] += part(slope, t);
        }
#pragma unroll
        for (unsigned t = 0; t < TILE; t++) {
            if (lane != t || start + t >= call.sequence) continue;
            shared.log_sum[start + t] = part(most, t) + logf(part(sum, t));
            shared.dot[start + t] = part(dot, t);
        }
        __syncwarp();
        for (unsigned c = lane; c < d; c += WARP) shared.x[c] = mix(call, shared.a, shared.q, c) * call.scale;
        __syncwarp();
        store_tile(call, shared.x, start, head_of(call, (const T *)out, 3, 0, true));
        __syncwarp();
    }
    for (unsigned i = 0; i < call.classes; i++) {
        float sum = sum_of_warp(by_class[i * WARP]);
        if (lane == 0) by_class[i * WARP] = sum;
    }
    __syncthreads();
    T *bias = out + (size_t)gridDim.x / call.heads * call.sequence * 3 * call.heads * d + blockIdx.x * call.classes;
    for (unsigned i = threadIdx.x; i < call.classes; i += THREADS) {
        float sum = 0;
        for (unsigned w = 0; w < WARPS; w++) sum += shared.sums[(w * call.classes + i) * WARP];
        store(bias + i, sum);
    }

    // Key by key: dv = P^T dO, dk = scale * dS^T Q.
    load_panel(call, queries, shared.a);
    load_panel(call, gradient, shared.b);
    __syncthreads();
    for (unsigned start = warp * TILE; start < call.sequence; start += WARPS * TILE) {
        load_tile(call, keys, start, shared.x);
        load_tile(call, values, start, shared.y);
        __syncwarp();
        for (unsigned query = lane; query < call.sequence; query += WARP) {
            float4 score = dots(call, shared.a, query, shared.x) * call.scale;
            float4 slope = dots(call, shared.b, query, shared.y);
#pragma unroll
            for (unsigned t = 0; t < TILE; t++) {
                float bias = call.classes > 0 ? shared.bias[relation(call, query, start + t)] : 0;
                float weight = expf(part(score, t) + bias - shared.log_sum[query]);
                part(shared.p[query], t) = weight;
                part(shared.q[query], t) = weight * (part(slope, t) - shared.dot[query]);
            }
        }
        __syncwarp();
        for (unsigned c = lane; c < d; c += WARP) {
            shared.x[c] = mix(call, shared.a, shared.q, c) * call.scale;
            shared.y[c] = mix(call, shared.b, shared.p, c);
        }
        __syncwarp();
        store_tile(call, shared.x, start, head_of(call, (const T *)out, 3, 1, true));
        store_tile(call, shared.y, start, head_of(call, (const T *)out, 3, 2, false));
        __syncwarp();
    }
}

#define FOR_EVERY_KERNEL(DO) \
    DO(add_norm) DO(add_norm_back) DO(gate) DO(gate_back) DO(attention) DO(attention_back)

#define ENTRIES(kernel) \
    extern "C" __global__ void __launch_bounds__(THREADS) kernel##_f32(const Call call) { kernel<float>(call); } \
    extern "C" __global__ void __launch_bounds__(THREADS) kernel##_bf16(const Call call) { kernel<bf16>(call); }

FOR_EVERY_KERNEL(ENTRIES)
