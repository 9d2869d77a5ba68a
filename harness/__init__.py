"""The conformance harness: cases, chunking plans, subjects, goldens, proofs, verdicts and reports."""
