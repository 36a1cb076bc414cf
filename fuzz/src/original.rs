//! Checkpoints of the PyTorch code: files of `torch.save`, safetensors and `all_config.yaml`, each changed.

use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use candle_core::{Device, Tensor};
use hrm_host::{
    config::RunConfig,
    model::{Gradient, Hrm, Params},
    original::{Exported, Tensors, export, model_of},
};

#[path = "../../hrm-host/tests/suite/torch.rs"]
mod torch;

const CONFIG: &str = r#"
[model]
task = "sudoku4"
width = 16
heads = 2
inner = 256
h_layers = 1
l_layers = 1
h_cycles = 1
l_cycles = 1
shared_levels = false
positions = "learned"
continue_head = true
segments = 2
"#;

/// A model as the original writes it.
struct Written {
    safetensors: Vec<u8>,
    /// The pickle of `torch.save`, and what it refers to.
    pickle: Vec<u8>,
    storages: Vec<Vec<u8>>,
    yaml: String,
}

static WRITTEN: LazyLock<Written> = LazyLock::new(|| {
    let config = RunConfig::parse(CONFIG, "fuzz", &[]).expect("a configuration");
    let params = Params::init(&config.model, 1, &Device::Cpu).expect("parameters");
    let exported = export(&config, &params).expect("a model that the original can have");
    let stored = stored(&exported);
    Written {
        safetensors: exported.safetensors().expect("a file"),
        pickle: torch::pickle(&stored),
        storages: stored.into_iter().map(|tensor| tensor.bytes).collect(),
        yaml: exported.config,
    }
});

fn stored(exported: &Exported) -> Vec<torch::Stored> {
    let of = |(name, tensor): (&String, &Tensor)| {
        let values = tensor.flatten_all().and_then(|flat| flat.to_vec1::<f32>()).expect("values");
        torch::Stored::f32(name, tensor.dims(), &values)
    };
    exported.tensors.iter().map(of).collect()
}

/// Reads a checkpoint of the original: what is imported thinks for a segment.
pub(crate) fn import(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let written = &*WRITTEN;
    let (mut file, mut yaml) = (written.safetensors.clone(), written.yaml.clone().into_bytes());
    let _ = match input.int_in_range(0..=2) {
        // The names, types and shapes stand at the beginning.
        Ok(0) => edit(&mut file, 1500, &mut input),
        Ok(1) => {
            let mut pickle = written.pickle.clone();
            let edited = edit(&mut pickle, usize::MAX, &mut input);
            file = torch::archive(&pickle, written.storages.iter().map(Vec::as_slice));
            edited
        }
        _ => edit(&mut yaml, usize::MAX, &mut input),
    };
    let Ok(tensors) = Tensors::of_bytes(&file) else { return };
    let Ok(imported) = model_of(&tensors, &String::from_utf8_lossy(&yaml), (None, 0)) else { return };
    // Every command writes it down.
    imported.config.to_toml();
    let Ok(hrm) = Hrm::new(&imported.config.model, &imported.params) else { return };
    let (carry, cells) = (hrm.initial_carry(1).expect("a carry"), imported.config.model.cells());
    let tokens = Tensor::zeros((1, cells), candle_core::DType::U32, &Device::Cpu).expect("tokens");
    hrm.segment(&carry, &tokens, Gradient::None).expect("an imported model thinks");
}

/// Replaces, drops or adds up to eight runs of bytes before `end`.
fn edit(bytes: &mut Vec<u8>, end: usize, input: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..input.int_in_range(1..=8)? {
        let at = input.int_in_range(0..=end.min(bytes.len()))?;
        let dropped = input.int_in_range(0..=4)?.min(bytes.len() - at);
        let length = input.int_in_range(0..=8)?;
        let added = input.bytes(usize::min(length, input.len()))?.to_vec();
        bytes.splice(at..at + dropped, added);
    }
    Ok(())
}
