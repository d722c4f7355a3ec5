//! Programs that would get around the gate do not build, and the compiler says why.

#[test]
fn programs_that_get_around_the_gate_do_not_build() {
    trybuild::TestCases::new().compile_fail("tests/must_not_build/*.rs");
}
