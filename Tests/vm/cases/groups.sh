#!/bin/bash
# The library's own tests of control groups that are really made, here on version 2.
# shellcheck source-path=SCRIPTDIR/.. source=case.bash
. "$1/case.bash"
tests=$1/../../.build/debug/sandboxPackageTests.xctest

library() {
    "$tests" --testing-library swift-testing --filter CgroupTests >"$scratch/output" 2>&1 ||
        fault "$(grep -E '✘|rror' "$scratch/output" | tr '\n' ' ')"
    holds "the tests ran" grep -q "with [1-9][0-9]* tests.* passed" "$scratch/output"
    grep -q skipped "$scratch/output" && fault "tests were left out"
    holds "nothing left: $(leftovers)" [ -z "$(leftovers)" ]
}

if [ -x "$tests" ]; then
    test_case groups-by-the-library library
else
    skip_case groups-by-the-library "not built: swift build --build-tests"
fi
