//! `--device`: where the tensors live.

use anyhow::Result;
use candle_core::{DType, Device};
use hrm_host::model::{Backend, ModelConfig, disagreement};

/// Where to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum DeviceChoice {
    /// The processor: reproducible to the bit
    Cpu,
    /// The first NVIDIA GPU, or a GPU for each process of `train`; an error where there is none
    Cuda,
    /// The first NVIDIA GPU, or the processor where there is none
    Auto,
}

impl DeviceChoice {
    /// The device, with its kernels tried on a model of this shape; what [`DeviceChoice::Auto`] has chosen,
    /// and why, goes to stderr.
    ///
    /// # Errors
    /// Where a GPU is wanted and cannot be used: why, and what to do.
    pub(super) fn open(self, config: &ModelConfig) -> Result<Device> {
        self.open_for(0, config)
    }

    /// As [`Self::open`], for process `process` of this machine, which takes the GPU of that number.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(super) fn open_for(self, process: usize, config: &ModelConfig) -> Result<Device> {
        let device = self.find(|| gpu(process))?;
        try_kernels(config, &device);
        Ok(device)
    }

    /// The device; `gpu` finds the first GPU, or says why there is none.
    fn find(self, gpu: impl FnOnce() -> Result<Device>) -> Result<Device> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda => gpu(),
            Self::Auto => Ok(gpu().map_or_else(
                |reason| {
                    eprintln!("computing on the CPU, because no GPU can be used: {reason:#}");
                    Device::Cpu
                },
                |gpu| {
                    eprintln!("computing on the first GPU");
                    gpu
                },
            )),
        }
    }
}

/// The types in which kernels are tried, and the largest disagreement with candle's operations in f32 that
/// rounding explains. In bf16 an H200 was 0.14 apart in one shape and 0.21 in another; what a broken kernel
/// computes is as far apart as the logits are large.
const TRIALS: [(DType, f64); 2] = [(DType::F32, 1e-3), (DType::BF16, 0.5)];
/// Set to 0, this environment variable has a GPU compute with candle's operations alone.
const SWITCH: &str = "HRM_GPU_KERNELS";

/// Tries the GPU's own kernels on a small batch of this model, says how they did, and does
/// without them where they fail.
fn try_kernels(config: &ModelConfig, device: &Device) {
    if !device.is_cuda() {
        return;
    }
    if std::env::var(SWITCH).is_ok_and(|value| value == "0") {
        Backend::distrust_kernels();
        eprintln!("{SWITCH}=0: candle's operations instead of the GPU's kernels");
        return;
    }
    for (compute, most) in TRIALS {
        let pair = ((Backend::Kernels, compute), (Backend::Composite, DType::F32));
        let reason = match disagreement(config, device, pair) {
            Ok(apart) if apart < most => {
                eprintln!(
                    "the GPU's kernels in {compute:?}: {apart:.1e} apart from candle's operations in F32"
                );
                continue;
            }
            Ok(apart) => format!(
                "in {compute:?} they differ from candle's operations by {apart:.1e}; please report it"
            ),
            Err(error) => error.to_string(),
        };
        Backend::distrust_kernels();
        eprintln!(
            "warning: going on with candle's operations instead of the GPU's kernels, which is slower: {reason} (where the GPU \
             itself has failed, start again with {SWITCH}=0)"
        );
        return;
    }
}

#[cfg(not(feature = "cuda"))]
fn gpu(_: usize) -> Result<Device> {
    anyhow::bail!(
        "this hrm-host was built without CUDA; build one with tools/build-cuda.sh (needs neither GPU nor CUDA toolkit), or \
         with `cargo build --release -p hrm-host --features cuda` where a toolkit is installed; or use --device cpu"
    )
}

/// The GPU for process `process` of this machine. Where a scheduler shows each process a GPU of
/// its own, that is the first.
#[cfg(feature = "cuda")]
fn gpu(process: usize) -> Result<Device> {
    use anyhow::Context;
    use candle_core::cuda_backend::cudarc::driver::CudaContext;

    let missing = missing_libraries();
    anyhow::ensure!(
        missing.is_empty(),
        "{} cannot be loaded; libcuda comes with the NVIDIA driver, the others with CUDA or with the Python packages \
         nvidia-cublas and nvidia-curand, whose lib folders LD_LIBRARY_PATH must name; or use --device cpu",
        missing.join(", ")
    );
    let gpus = CudaContext::device_count().context("the GPUs cannot be counted (see nvidia-smi)")? as usize;
    let number = if gpus == 1 { 0 } else { process };
    anyhow::ensure!(
        number < gpus.max(1),
        "process {process} of this machine has no GPU of its own, since there are {gpus}; start fewer processes on it"
    );
    let gpu = Device::new_cuda(number).with_context(|| {
        format!("the CUDA libraries are there, but GPU {number} cannot be used (see nvidia-smi)")
    })?;
    // SAFETY: candle has one stream, and this program one thread that uses it.
    unsafe { gpu.as_cuda_device()?.disable_event_tracking() };
    if let Err(error) = hrm_host::memory::keep_freed_on(gpu.as_cuda_device()?) {
        eprintln!("warning: the GPU's memory pool gives back what is freed, which costs time: {error}");
    }
    Ok(gpu)
}

/// The libraries that CUDA tensors need and the system cannot load. Asked beforehand, because
/// loading them later panics.
#[cfg(feature = "cuda")]
fn missing_libraries() -> Vec<String> {
    const VERSIONS: [&str; 5] = ["", ".13", ".12", ".10", ".1"];
    let loads = |name: &str| {
        VERSIONS.iter().any(|version| {
            // SAFETY: NVIDIA's libraries run no code of consequence when loaded, and the
            // program loads them anyway.
            unsafe { libloading::Library::new(format!("lib{name}.so{version}")) }.is_ok()
        })
    };
    let needed = ["cuda", "cublas", "cublasLt", "curand"];
    needed.into_iter().filter(|name| !loads(name)).map(|name| format!("lib{name}.so")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_is_no_gpu_auto_falls_back_and_cuda_says_why() {
        let none = || Err(anyhow::anyhow!("no GPU in this test"));
        assert!(DeviceChoice::Cpu.find(none).unwrap().is_cpu());
        assert!(DeviceChoice::Auto.find(none).unwrap().is_cpu());
        assert_eq!(DeviceChoice::Cuda.find(none).unwrap_err().to_string(), "no GPU in this test");
    }

    #[test]
    fn a_gpu_is_looked_for_only_where_it_is_wanted() {
        let looked = std::cell::Cell::new(0);
        // The processor stands in for it: what counts is that its device is the one taken.
        let gpu = || {
            looked.set(looked.get() + 1);
            Ok(Device::Cpu)
        };
        for (choice, times) in [(DeviceChoice::Cpu, 0), (DeviceChoice::Cuda, 1), (DeviceChoice::Auto, 2)] {
            choice.find(gpu).unwrap();
            assert_eq!(looked.get(), times, "{choice:?}");
        }
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_build_without_cuda_says_what_to_do() {
        let said = gpu(0).unwrap_err().to_string();
        assert!(said.contains("tools/build-cuda.sh") && said.contains("--device cpu"), "{said}");
    }
}
