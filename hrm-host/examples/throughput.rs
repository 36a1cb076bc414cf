//! Sample-segments per second of a training step's model part: forward and backward of one segment.
//!
//! `cargo run --release -p hrm-host --example throughput -- --width 96 --heads 3 --inner 256 --batch 64
//! --threads 2`; with a GPU `cargo run --release -p hrm-host --features cuda --example throughput -- --cuda
//! --precision bf16 --width 128 --heads 4 --inner 352 --batch 768`

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use candle_core::{DType, Device, Tensor};
use clap::Parser;
use hrm_host::memory::keep_freed;
use hrm_host::model::{Backend, Gradient, Hrm, ModelConfig, Params, Positions};
use hrm_host::threads::use_threads;

/// Measures forward (and backward) segments of a randomly initialised 9x9 model.
#[derive(Parser)]
struct Options {
    /// fused, kernels or composite; the fastest of the device where not given.
    #[arg(long)]
    backend: Option<String>,
    /// On the first GPU.
    #[arg(long)]
    cuda: bool,
    /// f32, tf32 or bf16.
    #[arg(long, default_value = "f32")]
    precision: String,
    /// none, one-step or full.
    #[arg(long, default_value = "one-step")]
    gradient: String,
    #[arg(long, default_value_t = 96)]
    width: usize,
    #[arg(long, default_value_t = 3)]
    heads: usize,
    #[arg(long, default_value_t = 256)]
    inner: usize,
    #[arg(long, default_value_t = 2)]
    layers: usize,
    #[arg(long, default_value_t = 2)]
    cycles: usize,
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// Worker threads; 0 for one per processor.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// RoPE instead of the relation bias.
    #[arg(long)]
    rope: bool,
    /// Seconds to measure.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
}

fn main() -> Result<()> {
    let options = Options::parse();
    keep_freed();
    let threads = (options.threads > 0).then_some(options.threads);
    let best = if options.cuda { "kernels" } else { "fused" };
    let backend_name = options.backend.as_deref().unwrap_or(best);
    let backend = match backend_name {
        "fused" => Backend::Fused,
        "kernels" => Backend::Kernels,
        "composite" => Backend::Composite,
        other => bail!("--backend {other}: fused, kernels or composite"),
    };
    let compute = match options.precision.as_str() {
        "f32" | "tf32" => DType::F32,
        "bf16" => DType::BF16,
        other => bail!("--precision {other}: f32, tf32 or bf16"),
    };
    candle_core::cuda::set_gemm_reduced_precision_f32(options.precision == "tf32");
    let device = if options.cuda { Device::new_cuda(0)? } else { Device::Cpu };
    #[cfg(feature = "cuda")]
    if options.cuda {
        hrm_host::memory::keep_freed_on(device.as_cuda_device()?)?;
    }
    match (backend, threads) {
        (Backend::Fused, threads) => use_threads(threads)?,
        // plain candle, with all the threads that it takes by itself
        (_, Some(threads)) => {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
        }
        (_, None) => {}
    }
    let config = ModelConfig {
        task: hrm_host::task::usual(),
        width: options.width,
        heads: options.heads,
        inner: options.inner,
        h_layers: options.layers,
        l_layers: options.layers,
        h_cycles: options.cycles,
        l_cycles: options.cycles,
        shared_levels: true,
        positions: if options.rope { Positions::Rope } else { Positions::Relation },
        continue_head: false,
        doubt_head: false,
        prefix: true,
        segments: 16,
    };
    let gradient = match options.gradient.as_str() {
        "none" => Gradient::None,
        "one-step" => Gradient::OneStep,
        "full" => Gradient::Full,
        other => bail!("--gradient {other}: none, one-step or full"),
    };

    let params = Params::init(&config, 1, &device)?;
    let hrm = Hrm::with_backend(&config, &params, backend)?.in_type(compute);
    let ids = (0..options.batch * config.cells()).map(|i| (i * 7 % config.vocab()) as u32).collect();
    let tokens = Tensor::from_vec(ids, (options.batch, config.cells()), &device)?;
    let mut carry = hrm.initial_carry(options.batch)?;
    let (mut best, mut all, start) = (Duration::MAX, Vec::new(), Instant::now());
    while start.elapsed().as_secs_f64() < options.seconds || all.len() < 3 {
        let begin = Instant::now();
        let output = hrm.segment(&carry, &tokens, gradient)?;
        if gradient != Gradient::None {
            (output.logits.sqr()?.mean_all()? + output.q.sum_all()?)?.backward()?;
        }
        carry = output.carry;
        device.synchronize()?;
        best = best.min(begin.elapsed());
        all.push(begin.elapsed());
    }
    all.sort();
    let rate = |time: Duration| options.batch as f64 / time.as_secs_f64();
    let median = all.get(all.len() / 2).context("nothing measured")?;
    println!(
        "{backend_name} {} {} width {} batch {} threads {}: {:.0} sample-segments/s median, {:.0} best ({} segments), peak {}",
        options.precision,
        options.gradient,
        options.width,
        options.batch,
        rayon::current_num_threads(),
        rate(*median),
        rate(best),
        all.len(),
        peak_memory().map_or("unknown".to_owned(), |mib| format!("{mib} MiB")),
    );
    Ok(())
}

/// The largest resident size of this process, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}
