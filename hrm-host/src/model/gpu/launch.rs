//! Running a kernel: on a GPU, or in tests on a CPU that plays one.

#[cfg(feature = "cuda")]
use candle_core::backend::BackendDevice;
use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CudaStorage, CustomOp1, DType, Layout, Result, Shape, Storage, Tensor, bail};

/// What a kernel is given; `Call` in `kernels.cu` is the same.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(super) struct Args {
    /// Addresses of the operands, and of the output.
    pub(super) operands: [u64; 5],
    pub(super) out: u64,
    pub(super) rows: u32,
    pub(super) columns: u32,
    pub(super) sequence: u32,
    pub(super) heads: u32,
    pub(super) head_dim: u32,
    pub(super) classes: u32,
    pub(super) rotated: u32,
    pub(super) scale: f32,
}

impl Args {
    /// The same with the operands' addresses.
    #[cfg(any(test, feature = "cuda"))]
    pub(super) fn at(mut self, operands: &[u64]) -> Self {
        self.operands[..operands.len()].copy_from_slice(operands);
        self
    }
}

/// What an operand must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operand {
    /// So many elements of the first operand's type.
    Same(usize),
    /// So many of a type of their own.
    Other(DType, usize),
}

/// A kernel, what it takes and gives, and how many threads run it.
#[derive(Clone, Debug)]
#[cfg_attr(not(any(test, feature = "cuda")), expect(dead_code, reason = "only a launch reads all of it"))]
pub(super) struct Plan {
    /// Its name, to which that of the storage's type is added.
    pub(super) kernel: &'static str,
    pub(super) operands: Vec<Operand>,
    /// Elements of the output, which has the first operand's type.
    pub(super) out: usize,
    pub(super) blocks: usize,
    pub(super) threads: usize,
    /// Bytes of shared memory a block.
    pub(super) shared: usize,
    pub(super) args: Args,
}

impl Plan {
    /// The kernel's full name for operands of these types, sizes and layouts.
    ///
    /// # Errors
    /// Operands that the kernel would read beyond, and types that it does not know.
    fn check(&self, operands: &[(DType, &Layout)]) -> Result<String> {
        let kernel = self.kernel;
        let Some(&(dtype, _)) = operands.first() else { bail!("{kernel}: no operands") };
        if operands.len() != self.operands.len() {
            bail!("{kernel}: {} operands for {}", operands.len(), self.operands.len());
        }
        for (which, (operand, (found, layout))) in self.operands.iter().zip(operands).enumerate() {
            let (expected, len) = match *operand {
                Operand::Same(len) => (dtype, len),
                Operand::Other(own, len) => (own, len),
            };
            if *found != expected || layout.shape().elem_count() != len || !layout.is_contiguous() {
                bail!(
                    "{kernel}: operand {which} is {found:?} {layout:?}, not {len} of {expected:?} in a row"
                );
            }
        }
        if self.out.max(self.blocks) > i32::MAX as usize {
            bail!("{kernel}: a result of {} elements is too large; use smaller batches", self.out);
        }
        match dtype {
            DType::F32 => Ok(format!("{kernel}_f32")),
            DType::BF16 => Ok(format!("{kernel}_bf16")),
            other => bail!("{kernel}: made for f32 and bf16, not for {other:?}"),
        }
    }
}

/// The memory of a device that runs kernels.
pub(super) trait Memory: BackendStorage {
    /// A tensor's memory, where it is of this kind.
    fn of(storage: &Storage) -> Result<&Self>;

    /// Runs the kernel `name` as planned; every operand has been checked.
    fn launch(plan: &Plan, name: &str, operands: &[(&Self, &Layout)]) -> Result<Self>;
}

/// Runs a kernel on what candle hands to an operation, with tensors that the operation
/// holds as further operands.
pub(super) fn forward<M: Memory>(plan: &Plan, given: &[(&M, &Layout)], held: &[&Tensor]) -> Result<M> {
    let guards: Vec<_> = held.iter().map(|tensor| tensor.storage_and_layout()).collect();
    let mut operands = given.to_vec();
    for (storage, layout) in &guards {
        operands.push((M::of(storage)?, layout));
    }
    let types: Vec<_> = operands.iter().map(|(memory, layout)| (memory.dtype(), *layout)).collect();
    M::launch(plan, &plan.check(&types)?, &operands)
}

/// Runs a kernel on tensors, out of the gradient's reach; one dimension.
pub(super) fn run(plan: &Plan, operands: &[&Tensor]) -> Result<Tensor> {
    let Some((first, held)) = operands.split_first() else { bail!("{}: no operands", plan.kernel) };
    first.apply_op1_no_bwd(&Run { plan, held })
}

struct Run<'a> {
    plan: &'a Plan,
    held: &'a [&'a Tensor],
}

impl CustomOp1 for Run<'_> {
    fn name(&self) -> &'static str {
        self.plan.kernel
    }

    fn cpu_fwd(&self, first: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((forward(self.plan, &[(first, layout)], self.held)?, self.plan.out.into()))
    }

    fn cuda_fwd(&self, first: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        Ok((forward(self.plan, &[(first, layout)], self.held)?, self.plan.out.into()))
    }
}

impl Memory for CudaStorage {
    fn of(storage: &Storage) -> Result<&Self> {
        match storage {
            Storage::Cuda(storage) => Ok(storage),
            _ => bail!("a table of a GPU kernel lies elsewhere"),
        }
    }

    #[cfg(not(feature = "cuda"))]
    fn launch(_: &Plan, _: &str, _: &[(&Self, &Layout)]) -> Result<Self> {
        Err(candle_core::Error::NotCompiledWithCudaSupport)
    }

    #[cfg(feature = "cuda")]
    fn launch(plan: &Plan, name: &str, operands: &[(&Self, &Layout)]) -> Result<Self> {
        use candle_core::cuda_backend::WrapErr;
        use candle_core::cuda_backend::cudarc::driver::sys::CUfunction_attribute as Attribute;
        use candle_core::cuda_backend::cudarc::driver::{LaunchConfig, PushKernelArg};

        const PTX: &str = include_str!(concat!(env!("OUT_DIR"), "/kernels.ptx"));
        /// Shared memory that needs no asking for.
        const UNASKED: usize = 48 << 10;

        let device = operands[0].0.device().clone();
        let stream = device.cuda_stream();
        // SAFETY: every kernel writes every element of its output.
        let out = unsafe { device.alloc_uninit(&plan.out.into(), operands[0].0.dtype())? };
        let places = operands.iter().map(|(storage, layout)| cuda::address(storage, layout, &stream));
        let (addresses, in_use): (Vec<_>, Vec<_>) = places.collect::<Result<Vec<_>>>()?.into_iter().unzip();
        let (start, out_in_use) = cuda::address(&out, &Layout::contiguous(plan.out), &stream)?;
        let args = Args { out: start, ..plan.args.at(&addresses) };

        let function = device.get_or_load_custom_func(name, "hrm-kernels", PTX)?;
        if plan.shared > UNASKED {
            let attribute = Attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            function.set_attribute(attribute, plan.shared as i32).w()?;
        }
        let mut builder = function.builder();
        builder.arg(&args);
        let shape = LaunchConfig {
            grid_dim: (plan.blocks as u32, 1, 1),
            block_dim: (plan.threads as u32, 1, 1),
            shared_mem_bytes: plan.shared as u32,
        };
        // SAFETY: the kernel takes one `Args`; the operands have the types and sizes that it reads,
        // the output what it writes.
        unsafe { builder.launch(shape) }.w()?;
        drop((in_use, out_in_use));
        Ok(out)
    }
}

#[cfg(feature = "cuda")]
mod cuda {
    use candle_core::cuda_backend::CudaStorageSlice;
    use candle_core::cuda_backend::cudarc::driver::{
        CudaSlice, CudaStream, DevicePtr, DeviceRepr, SyncOnDrop,
    };
    use candle_core::{CudaStorage, Layout, Result, bail};

    use super::Args;

    // SAFETY: plain numbers, laid out as C does.
    unsafe impl DeviceRepr for Args {}

    /// Where on the GPU an operand begins, and what marks it as used for as long as it is kept.
    pub(super) fn address<'a>(
        storage: &'a CudaStorage,
        layout: &Layout,
        stream: &'a CudaStream,
    ) -> Result<(u64, SyncOnDrop<'a>)> {
        fn start<'a, T>(
            slice: &'a CudaSlice<T>,
            layout: &Layout,
            stream: &'a CudaStream,
        ) -> (u64, SyncOnDrop<'a>) {
            let (start, guard) = slice.device_ptr(stream);
            (start + (layout.start_offset() * size_of::<T>()) as u64, guard)
        }
        Ok(match &storage.slice {
            CudaStorageSlice::U8(slice) => start(slice, layout, stream),
            CudaStorageSlice::F32(slice) => start(slice, layout, stream),
            CudaStorageSlice::BF16(slice) => start(slice, layout, stream),
            _ => bail!("a GPU kernel's operand has a type that none of them takes"),
        })
    }
}

impl Memory for CpuStorage {
    fn of(storage: &Storage) -> Result<&Self> {
        match storage {
            Storage::Cpu(storage) => Ok(storage),
            _ => bail!("a table of a GPU kernel lies elsewhere"),
        }
    }

    #[cfg(not(test))]
    fn launch(plan: &Plan, _: &str, _: &[(&Self, &Layout)]) -> Result<Self> {
        bail!("{}: a GPU's kernel; on a CPU use Backend::Fused or Backend::Composite", plan.kernel)
    }

    #[cfg(test)]
    fn launch(plan: &Plan, name: &str, operands: &[(&Self, &Layout)]) -> Result<Self> {
        super::emulated::launch(plan, name, operands)
    }
}
