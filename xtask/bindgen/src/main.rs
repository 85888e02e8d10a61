//! `sealpay-bindgen MODULE FOLDER`: what `wasm-bindgen --target web --no-typescript` does, without
//! the half of that program that nobody needs to wait for.
//!
//! The library is locked to the version of `wasm-bindgen` that the widget is built with, because
//! each understands only the modules of its own version.

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [module, folder] = arguments.as_slice() else {
        eprintln!("Usage: sealpay-bindgen MODULE FOLDER");
        return ExitCode::from(2);
    };
    match bindings(module, folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The bindings of {module} cannot be made: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bindings(module: &str, folder: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut output = Bindgen::new()
        .input_path(module)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(false)
        // Only debuggers read them: more than a quarter of the module.
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()?;
    // Only the tools read it that have just run.
    output.wasm_mut().customs.remove_raw("target_features");
    output.emit(folder)?;
    Ok(())
}
