package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/setopsco/setops/internal/engine/kubernetes/cluster"
)

// grace is what a command has to end after it was interrupted.
const grace = time.Minute

var errUsage = errors.New("usage: testcluster up|test|status|down|load …; see its package comment")

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	switch name, rest := args[0], args[1:]; {
	case name == "up":
		return up(ctx, rest)
	case name == "test":
		return test(ctx, rest)
	case name == "status" && len(rest) == 0:
		return status()
	case name == "down" && len(rest) == 1:
		return down(rest[0])
	case name == "load" && len(rest) == 2:
		return load(ctx, rest[0], rest[1])
	}
	return errUsage
}

func options(args []string) (cluster.Options, []string, error) {
	o := cluster.Options{Progress: func(line string) { fmt.Fprintln(os.Stderr, line) }}
	flags := flag.NewFlagSet("testcluster", flag.ContinueOnError)
	flags.IntVar(&o.Nodes, "nodes", 2, "nodes that run containers")
	flags.IntVar(&o.Simulated, "simulated", 0, "nodes that kwok plays")
	flags.BoolVar(&o.Gateway, "gateway", false, "define the resources of the Gateway API")
	err := flags.Parse(args)
	return o, flags.Args(), err
}

func up(ctx context.Context, args []string) error {
	o, rest, err := options(args)
	if err != nil || len(rest) > 0 {
		return errors.Join(err, errUsage)
	}
	c, err := cluster.Up(ctx, o)
	if err != nil {
		return err
	}
	for _, line := range environment(c) {
		fmt.Println("export", line)
	}
	fmt.Printf("# %s get pods -A\n# end it with: down %d\n", c.Kubectl(), c.Number)
	return nil
}

func environment(c *cluster.Cluster) []string {
	all := []string{
		"KUBECONFIG=" + c.Kubeconfig(), "SETOPS_TEST_KUBECONFIG=" + c.Kubeconfig(),
		"SETOPS_TEST_KUBE_REGISTRY=" + c.Registry(), "SETOPS_TEST_CLUSTER=" + strconv.Itoa(c.Number),
		"SETOPS_TEST_KUBECTL=" + c.Kubectl(),
	}
	if c.Simulated > 0 {
		all = append(all, "SETOPS_TEST_SIMULATED="+strconv.Itoa(c.Simulated))
	}
	return all
}

// test ends the cluster behind the command, which it gives its interrupts. Where it is killed itself, the machines end by their leash.
func test(ctx context.Context, args []string) (err error) {
	o, argv, err := options(args)
	if err != nil || len(argv) == 0 {
		return errors.Join(err, errUsage)
	}
	o.Leashed = true
	c, err := cluster.Up(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Down()) }()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), environment(c)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = grace
	return cmd.Run()
}

func status() error {
	all, err := cluster.All()
	if err != nil {
		return err
	}
	for _, c := range all {
		state, err := c.State()
		if err != nil {
			return err
		}
		fmt.Printf("%d  %s\n   %s\n", c.Number, c.Kubeconfig(), state)
	}
	return nil
}

// down ends one cluster, or those of everybody on this machine, which has to be said.
func down(which string) error {
	all, err := cluster.All()
	if err != nil {
		return err
	}
	var failed error
	found := which == "all"
	for _, c := range all {
		if which == "all" || which == strconv.Itoa(c.Number) {
			found = true
			failed = errors.Join(failed, c.Down())
		}
	}
	if !found {
		return fmt.Errorf("there is no cluster %s: see status", which)
	}
	return failed
}

func load(ctx context.Context, number, archive string) error {
	all, err := cluster.All()
	if err != nil {
		return err
	}
	for _, c := range all {
		if number == strconv.Itoa(c.Number) {
			return c.Load(ctx, archive)
		}
	}
	return fmt.Errorf("there is no cluster %s", number)
}
