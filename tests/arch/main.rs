//! The rules of the house, checked: who may use whom, where a library may be named, how files look.
//! Each module holds one rule and tests it on small sources of its own, so that the rule is known to
//! bite; this file puts the rules to the repository. No network, no build, no git.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test reports by panicking")]

mod bans;
mod cfg;
mod confinement;
mod facts;
mod features;
mod heads;
mod layers;
mod manifests;
mod report;
mod resolve;
mod size;
mod tokens;
mod tree;
mod words;
mod workspace;

use report::expect_none;
use workspace::Workspace;

#[test]
fn layers_use_only_what_the_table_allows() {
    expect_none(layers::check(&Workspace::of_this_repository().tree));
}

#[test]
fn libraries_stay_in_their_layers() {
    expect_none(confinement::check(&Workspace::of_this_repository().tree));
}

#[test]
fn environment_macros_stay_in_config() {
    expect_none(confinement::check_environment_macros(Workspace::of_this_repository()));
}

#[test]
fn every_source_file_says_what_lives_in_it() {
    expect_none(heads::check(Workspace::of_this_repository()));
}

#[test]
fn files_and_functions_stay_small() {
    let workspace = Workspace::of_this_repository();
    println!("{}", size::summary(workspace));
    expect_none(size::check(workspace));
}

#[test]
fn production_code_neither_panics_nor_silences_lints() {
    expect_none(bans::check(Workspace::of_this_repository()));
}

#[test]
fn what_only_tests_build_is_chosen_in_one_place() {
    expect_none(features::check(Workspace::of_this_repository()));
}

#[test]
fn manifests_are_tidy() {
    expect_none(manifests::check(Workspace::of_this_repository()));
}

#[test]
fn the_project_speaks_of_itself_alone() {
    expect_none(words::check(Workspace::of_this_repository()));
}
