//! `--device`: where the tensors live.

use anyhow::Result;
use candle_core::Device;
use hrm_host::model::{Backend, ModelConfig, disagreement};

/// Where to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum DeviceChoice {
    /// The processor: reproducible to the bit
    Cpu,
    /// The first NVIDIA GPU; an error where there is none
    Cuda,
    /// The first NVIDIA GPU, or the processor where there is none
    Auto,
}

impl DeviceChoice {
    /// The device, with its kernels tried on a model of this shape; what [`DeviceChoice::Auto`] has chosen, and why, goes to stderr.
    ///
    /// # Errors
    /// Where a GPU is wanted and cannot be used: why, and what to do.
    pub(super) fn open(self, config: &ModelConfig) -> Result<Device> {
        let device = self.find()?;
        try_kernels(config, &device);
        Ok(device)
    }

    fn find(self) -> Result<Device> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda => first_gpu(),
            Self::Auto => Ok(first_gpu().map_or_else(
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

/// The largest disagreement of kernels and candle's operations that rounding in f32 explains.
const ROUNDING: f64 = 1e-3;

/// Tries the GPU's own kernels on a small batch of this model, says how they did, and does without them where they fail.
fn try_kernels(config: &ModelConfig, device: &Device) {
    if !device.is_cuda() {
        return;
    }
    match disagreement(config, device, (Backend::Kernels, Backend::Composite)) {
        Ok(apart) if apart < ROUNDING => {
            eprintln!(
                "the GPU's kernels agree with candle's operations (largest relative distance {apart:.1e})"
            );
        }
        outcome => {
            Backend::distrust_kernels();
            let reason = match outcome {
                Ok(apart) => {
                    format!("they differ from candle's operations by {apart:.1e}: a defect, please report it")
                }
                Err(error) => error.to_string(),
            };
            eprintln!(
                "warning: going on with candle's operations instead of the GPU's kernels, which is slower: {reason}"
            );
        }
    }
}

#[cfg(not(feature = "cuda"))]
fn first_gpu() -> Result<Device> {
    anyhow::bail!(
        "this hrm-host was built without CUDA; build one with tools/build-cuda.sh (needs neither GPU nor CUDA toolkit), or \
         with `cargo build --release -p hrm-host --features cuda` where a toolkit is installed; or use --device cpu"
    )
}

#[cfg(feature = "cuda")]
fn first_gpu() -> Result<Device> {
    use anyhow::Context;

    let missing = missing_libraries();
    anyhow::ensure!(
        missing.is_empty(),
        "{} cannot be loaded; libcuda comes with the NVIDIA driver, the others with CUDA or with the Python packages \
         nvidia-cublas and nvidia-curand, whose lib folders LD_LIBRARY_PATH must name; or use --device cpu",
        missing.join(", ")
    );
    let gpu = Device::new_cuda(0)
        .context("the CUDA libraries are there, but the first GPU cannot be used (see nvidia-smi)")?;
    if let Err(error) = hrm_host::memory::keep_freed_on(gpu.as_cuda_device()?) {
        eprintln!("warning: the GPU's memory pool gives back what is freed, which costs time: {error}");
    }
    Ok(gpu)
}

/// The libraries that CUDA tensors need and the system cannot load. Asked beforehand, because loading them later panics.
#[cfg(feature = "cuda")]
fn missing_libraries() -> Vec<String> {
    const VERSIONS: [&str; 5] = ["", ".13", ".12", ".10", ".1"];
    let loads = |name: &str| {
        VERSIONS.iter().any(|version| {
            // SAFETY: NVIDIA's libraries run no code of consequence when loaded, and the program loads them anyway.
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
    fn where_there_is_no_gpu_auto_falls_back_and_cuda_says_what_to_do() {
        assert!(DeviceChoice::Cpu.find().unwrap().is_cpu());
        match DeviceChoice::Cuda.find() {
            Ok(gpu) => assert!(gpu.is_cuda() && DeviceChoice::Auto.find().unwrap().is_cuda()),
            Err(error) => {
                assert!(
                    error.to_string().contains("--device cpu") || error.to_string().contains("nvidia-smi")
                );
                assert!(DeviceChoice::Auto.find().unwrap().is_cpu());
            }
        }
    }
}
