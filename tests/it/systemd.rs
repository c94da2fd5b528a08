//! The units: as hardened as they say.

use std::process::Command;

/// The exposure that a unit may have at most, in tenths: 2.0.
const EXPOSURE_TENTHS_MAX: u32 = 20;

#[test]
fn the_units_are_hardened() {
    for unit in ["lanka.service", "lanka-migrate.service"] {
        let path = format!("{}/systemd/{unit}", env!("CARGO_MANIFEST_DIR"));
        let analysed = Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--no-pager"])
            .arg(format!("--threshold={EXPOSURE_TENTHS_MAX}"))
            .arg(path)
            .output();
        match analysed {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stdout);
                assert!(output.status.success(), "{unit} is exposed beyond 2.0:\n{said}");
            }
            Err(_) => println!("not run: systemd-analyze is not on this machine"),
        }
    }
}
