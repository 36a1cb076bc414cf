//! With the feature `cuda`: translates the GPU's kernels to PTX, which the driver compiles
//! for the GPU that it finds.

#[cfg(not(feature = "cuda"))]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}

#[cfg(feature = "cuda")]
fn main() -> cudaforge::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/model/gpu/kernels.cu");
    let kernels = cudaforge::KernelBuilder::new().source_files(["src/model/gpu/kernels.cu"]);
    kernels.arg("-std=c++17").arg("-O3").build_ptx()?;
    Ok(())
}
