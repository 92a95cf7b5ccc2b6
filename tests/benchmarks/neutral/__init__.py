"""One order workload, written four times: what it is stands in `workload`, that all play the same in `agreement`."""
