//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// report is the file that -write writes, below the root of the repository.
const report = "docs/benchmarks.md"

// measurement is one thing that is measured. What it adds to the result before an error stays.
type measurement struct {
	name, about string
	run         func(context.Context, *bench, *result) error
}

var measurements = []measurement{
	{"plan", "folding and planning 1,000 commands on 1,000 apps", measurePlanning},
	{"cli", "CPU time of the CLI", measureCLI},
	{"deploy", "changeset:commit to the first 200, against docker run", measureDeploy},
	{"push", "push of a large layer, against docker-registry", measurePush},
	{"router", "requests through the router", measureRouter},
	{"swap", "one route swapped among many", measureSwap},
	{"failover", "two apps replaced in one commit under load, embedded engine", measureFailoverEmbedded},
	{"failover-docker", "the same on Docker Engine", measureFailoverDocker},
	{"failover-kubernetes", "the same on a cluster, at a rate that two cores carry beside it", measureFailoverKubernetes},
	{"rollout", "changeset:commit on a cluster, against kubectl rollout", measureRollout},
	{"scale-kubernetes", "one app among thousands of tasks on a cluster of simulated nodes, against the same alone", measureScale},
	{"api", "reads and staging through the API, against the store alone", measureAPI},
	{"load", "reads, staging and commits of many users, engine in memory", measureLoad},
	{"stages", "start and memory with 1,000 stages, engine in memory", measureStages},
	{"memory", "start and memory of an idle setopsd", measureIdle},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	write := flag.Bool("write", false, "write the result to "+report)
	bin := flag.String("bin", "bin", "directory with setops and setopsd, as `make build` makes them")
	only := flag.String("only", "", "measure these only, for example plan,cli")
	failovers := flag.Int("failovers", 10, "commits under load, per pass")
	stages := flag.Int("stages", 25, "stages of a full cluster, with 400 tasks and 40 nodes each")
	profile := flag.String("profile", "", "file for a profile of the server under load")
	flag.Parse()
	if *write && *only != "" {
		return errors.New("-write needs all measurements: leave -only out")
	}
	b, err := newBench(*bin)
	if err != nil {
		return err
	}
	b.failovers, b.scaleStages, b.profile = *failovers, *stages, *profile
	defer func() { err = errors.Join(err, b.close()) }()
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	res := &result{machine: describe(ctx)}
	for _, m := range chosen {
		fmt.Fprintf(os.Stderr, "measuring %s: %s\n", m.name, m.about)
		if err := m.run(ctx, b, res); err != nil {
			res.leaveOut(m, err)
		}
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
	}
	res.machine.end()
	fmt.Print(res.text())
	if *write {
		if err := writeReport(res); err != nil {
			return err
		}
	}
	return res.complete()
}

func choose(only string) ([]measurement, error) {
	if only == "" {
		return slices.DeleteFunc(slices.Clone(measurements), func(m measurement) bool {
			return (m.name == "failover-kubernetes" || m.name == "rollout") && !hasCluster()
		}), nil
	}
	var chosen []measurement
	for name := range strings.SplitSeq(only, ",") {
		n := len(chosen)
		for _, m := range measurements {
			if m.name == name {
				chosen = append(chosen, m)
			}
		}
		if len(chosen) == n {
			return nil, fmt.Errorf("there is no measurement %q", name)
		}
	}
	return chosen, nil
}

func writeReport(res *result) error {
	if err := os.MkdirAll(filepath.Dir(report), 0o755); err != nil {
		return err
	}
	return os.WriteFile(report, []byte(res.markdown()), 0o644)
}
