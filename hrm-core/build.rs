//! Says once which kernels the processor has that this is built for: `cfg(kernels = "...")`, of which several may
//! hold. What is known of a wrong choice is refused here: it would end in an undefined instruction at the
//! first product.

use std::env;

/// Values of `cfg(kernels)`: those of each kind of processor, what the first two have in common, and what the three
/// before it have.
const KERNELS: [&str; 8] = ["dsp", "mve", "arm", "rv32", "x86", "neon", "wasm", "vector"];

/// Cores of Arm without DSP extension and Helium, by the beginnings of their targets' names. Their `cfg`
/// does not tell them from those that may have them.
const WITHOUT: [&str; 3] = ["thumbv6m", "thumbv7m", "thumbv8m.base"];

/// What cargo tells of a build.
struct Build {
    target: String,
    arch: String,
    little_endian: bool,
    target_features: Vec<String>,
    features: Vec<&'static str>,
}

impl Build {
    fn here() -> Self {
        let told = |name: &str| env::var(name).unwrap_or_default();
        let features = ["std", "dsp", "dsp-m7", "dsp-m33", "mve", "_portable"];
        let variable = |feature: &str| format!("CARGO_FEATURE_{}", feature.to_uppercase().replace('-', "_"));
        Self {
            target: told("TARGET"),
            arch: told("CARGO_CFG_TARGET_ARCH"),
            little_endian: told("CARGO_CFG_TARGET_ENDIAN") == "little",
            target_features: told("CARGO_CFG_TARGET_FEATURE").split(',').map(str::to_owned).collect(),
            features: features
                .into_iter()
                .filter(|feature| env::var_os(variable(feature)).is_some())
                .collect(),
        }
    }

    fn has(&self, feature: &str) -> bool {
        self.features.contains(&feature)
    }

    /// The kernels that are built in.
    fn kernels(&self) -> Vec<&'static str> {
        if self.has("_portable") {
            return Vec::new();
        }
        let knows = |feature: &str| self.target_features.iter().any(|known| known == feature);
        let mut kernels = match self.arch.as_str() {
            // `cfg(target_feature)` knows neither extension on stable Rust.
            "arm" => ["dsp", "mve"].into_iter().filter(|extension| self.has(extension)).collect(),
            "riscv32" if knows("m") => vec!["rv32"],
            // Which of them is asked at run time.
            "x86_64" if self.has("std") => vec!["x86"],
            "aarch64" if self.little_endian && knows("neon") => vec!["neon"],
            "wasm32" if knows("simd128") => vec!["wasm"],
            _ => Vec::new(),
        };
        match kernels.first() {
            Some(&("dsp" | "mve")) => kernels.push("arm"),
            Some(&("x86" | "neon" | "wasm")) => kernels.push("vector"),
            _ => {}
        }
        kernels
    }

    /// Why it cannot be.
    fn refusals(&self) -> Vec<String> {
        let mut refusals = Vec::new();
        if self.arch != "arm" {
            return refusals;
        }
        let mut refuse = |wrong: bool, why: String| refusals.extend(wrong.then_some(why));
        for [one, other] in [["dsp", "mve"], ["dsp-m33", "dsp-m7"]] {
            let why = format!("`{one}` and `{other}` are kernels of different processors; choose one");
            refuse(self.has(one) && self.has(other), why);
        }
        let target = &self.target;
        let lacks = WITHOUT.iter().any(|without| target.starts_with(without));
        refuse(
            lacks && (self.has("dsp") || self.has("mve")),
            format!(
                "processors of {target} (Cortex-M0, M0+, M1, M3, M23) have neither the DSP extension nor Helium; leave out `dsp` and \
                 `mve`, or build for the target of your processor"
            ),
        );
        refuse(
            target.starts_with("thumbv7em") && self.has("mve"),
            format!("processors of {target} (Cortex-M4, M7) have no Helium; choose `dsp` or `dsp-m7`"),
        );
        refusals
    }
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(kernels, values(\"{}\"))", KERNELS.join("\", \""));
    let build = Build::here();
    for kernels in build.kernels() {
        println!("cargo::rustc-cfg=kernels=\"{kernels}\"");
    }
    for why in build.refusals() {
        println!("cargo::error={why}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(target: &str, target_features: &[&str], features: &[&'static str]) -> Build {
        let arch = if target.starts_with("thumb") { "arm" } else { target.split('-').next().unwrap() };
        let arch = if target.starts_with("riscv32") { "riscv32" } else { arch };
        Build {
            target: target.to_owned(),
            arch: arch.to_owned(),
            little_endian: !target.starts_with("aarch64_be"),
            target_features: target_features.iter().map(|&feature| feature.to_owned()).collect(),
            features: features.to_vec(),
        }
    }

    #[test]
    fn every_processor_has_its_kernels_and_no_others() {
        for (target, target_features, features, kernels) in [
            ("thumbv6m-none-eabi", &[][..], &[][..], &[][..]),
            ("thumbv7em-none-eabihf", &[], &["std"], &[]),
            ("thumbv7em-none-eabihf", &[], &["dsp"], &["dsp", "arm"]),
            ("thumbv8m.main-none-eabihf", &[], &["dsp", "dsp-m33"], &["dsp", "arm"]),
            ("thumbv8m.main-none-eabihf", &[], &["mve"], &["mve", "arm"]),
            ("riscv32imac-unknown-none-elf", &["a", "c", "m"], &["dsp"], &["rv32"]),
            ("riscv32i-unknown-none-elf", &[], &[], &[]),
            ("x86_64-unknown-linux-gnu", &["sse2"], &["std", "mve"], &["x86", "vector"]),
            ("x86_64-unknown-linux-gnu", &["sse2"], &[], &[]),
            ("aarch64-apple-darwin", &["neon"], &[], &["neon", "vector"]),
            ("aarch64-unknown-none-softfloat", &[], &["std"], &[]),
            ("wasm32-unknown-unknown", &["simd128"], &[], &["wasm", "vector"]),
            ("wasm32-unknown-unknown", &["bulk-memory"], &["std"], &[]),
        ] {
            assert_eq!(build(target, target_features, features).kernels(), kernels, "{target} {features:?}");
            let portable = [features, &["_portable"]].concat();
            assert_eq!(build(target, target_features, &portable).kernels(), [""; 0], "{target}");
            assert!(kernels.iter().all(|kernels| KERNELS.contains(kernels)));
        }
    }

    #[test]
    fn what_a_processor_cannot_have_is_refused() {
        for (target, features, parts) in [
            ("thumbv6m-none-eabi", &["dsp"][..], &["neither"][..]),
            ("thumbv7m-none-eabi", &["dsp", "dsp-m7"], &["neither"]),
            ("thumbv8m.base-none-eabi", &["dsp", "dsp-m33"], &["neither"]),
            ("thumbv8m.base-none-eabi", &["mve"], &["neither"]),
            ("thumbv7em-none-eabi", &["mve"], &["no Helium"]),
            ("thumbv7em-none-eabi", &["dsp", "dsp-m7", "dsp-m33"], &["`dsp-m33` and `dsp-m7`"]),
            ("thumbv8m.main-none-eabi", &["dsp", "mve"], &["`dsp` and `mve`"]),
            ("thumbv6m-none-eabi", &["std"], &[]),
            ("thumbv7em-none-eabi", &["dsp", "dsp-m7"], &[]),
            ("thumbv8m.main-none-eabi", &["dsp", "dsp-m33"], &[]),
            ("thumbv8m.main-none-eabihf", &["mve"], &[]),
            ("x86_64-unknown-linux-gnu", &["dsp", "mve", "dsp-m7", "dsp-m33"], &[]),
        ] {
            let refusals = build(target, &[], features).refusals();
            assert_eq!(refusals.len(), parts.len(), "{target} {features:?}: {refusals:?}");
            assert!(refusals.iter().zip(parts).all(|(why, part)| why.contains(part)), "{refusals:?}");
        }
    }
}
