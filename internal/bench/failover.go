//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/bench/traffic"
)

// underload is what apps are replaced under.
type underload struct {
	rate, clients, streams, sockets int    // see traffic.Config
	startTimeout                    string // of the apps, seconds
}

var (
	hostLoad = underload{rate: 600, clients: 16, streams: 4, sockets: 4, startTimeout: "5"} // 500 requests a second are asked for
	// On a cluster for tests the control plane and the nodes share the machine's cores with all that is measured.
	clusterLoad = underload{rate: 100, clients: 8, streams: 2, sockets: 2, startTimeout: "20"}
)

var loadApps = []string{"web", "api"}

func measureFailoverEmbedded(ctx context.Context, b *bench, res *result) error {
	return measureFailover(ctx, b, res, "embedded", hostLoad, nil)
}

func measureFailoverDocker(ctx context.Context, b *bench, res *result) error {
	d, err := b.engine(ctx)
	if err != nil {
		return err
	}
	return measureFailover(ctx, b, res, "docker", hostLoad, d.env)
}

// measureFailoverKubernetes needs a cluster, as tests of the engine do.
func measureFailoverKubernetes(ctx context.Context, b *bench, res *result) error {
	flags, err := clusterFlags()
	if err != nil {
		return err
	}
	return measureFailover(ctx, b, res, "kubernetes", clusterLoad, nil, flags...)
}

// clusterFlags are those of a setopsd that runs tasks on the cluster, besides the name of the engine.
func clusterFlags() ([]string, error) {
	kubeconfig, registry := os.Getenv("SETOPS_TEST_KUBECONFIG"), os.Getenv("SETOPS_TEST_KUBE_REGISTRY")
	if !hasCluster() {
		return nil, errors.New("SETOPS_TEST_KUBECONFIG and SETOPS_TEST_KUBE_REGISTRY do not say where a cluster is: try `make kubernetes-test`")
	}
	host, _, err := net.SplitHostPort(registry)
	if err != nil {
		return nil, fmt.Errorf("read SETOPS_TEST_KUBE_REGISTRY: %w", err)
	}
	return clusterFlagsOf(kubeconfig, registry, host), nil
}

func clusterFlagsOf(kubeconfig, registry, host string) []string {
	return []string{"--kubeconfig", kubeconfig, "--registry-listen", registry, "--router-networks", host + "/32"}
}

func hasCluster() bool {
	return os.Getenv("SETOPS_TEST_KUBECONFIG") != "" && os.Getenv("SETOPS_TEST_KUBE_REGISTRY") != ""
}

// measureFailover replaces two apps in one commit, again and again, under traffic; in a second pass every other release
// is a bad one, whose commit must fail.
func measureFailover(ctx context.Context, b *bench, res *result, engine string, load underload, env []string, flags ...string) (err error) {
	s, err := b.openLoad(ctx, engine, load, env, flags...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(context.WithoutCancel(ctx))) }()
	for _, pass := range []struct {
		what string
		bad  bool
	}{{"good releases", false}, {"every other release a bad one", true}} {
		report, commits, err := s.underLoad(ctx, b.failovers, pass.bad)
		if err != nil {
			return err
		}
		res.add(row{
			what: fmt.Sprintf("Requests that %d commits of two apps cost, engine %s, %s", b.failovers, engine, pass.what),
			ours: fmt.Sprintf("%d of %d", report.FaultCount, report.Requests+report.Streams+report.Sockets+report.FaultCount),
			goal: "0", met: report.FaultCount == 0,
		})
		res.note("Engine %s, %s: %.0f requests/s, half of them POST with a body, %d slow streams and %d WebSockets came to their end; "+
			"an answer took %s (median), %s (99 %%), %s (longest); a commit took %s (median).%s", engine, pass.what, report.Rate(),
			report.Streams, report.Sockets, show(report.P50), show(report.P99), show(report.Most), show(median(commits)), faults(report))
	}
	return nil
}

func faults(r traffic.Report) string {
	if r.FaultCount == 0 {
		return ""
	}
	return "\n  What went wrong first: " + strings.Join(r.Faults, "; ")
}

// loadServer is a server with the two apps, and the number of the version that they have.
type loadServer struct {
	*server
	load    underload
	version int
	digests map[string]string
}

// openLoad starts a server on an engine, with both apps running version 1.
func (b *bench) openLoad(ctx context.Context, engine string, load underload, env []string, flags ...string) (*loadServer, error) {
	base, err := b.openServer(ctx, "load-"+engine, env, append(flags, "--engine", engine)...)
	if err != nil {
		return nil, err
	}
	s := &loadServer{server: base, load: load, digests: map[string]string{}}
	if err := s.deploy(ctx, b); err != nil {
		return nil, errors.Join(err, s.close(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *loadServer) deploy(ctx context.Context, b *bench) error {
	if err := s.do(ctx, "project:create", "stage:create"); err != nil {
		return err
	}
	for _, app := range loadApps {
		if err := s.do(ctx, "--app "+app+" app:create "+app, "--app "+app+" network:set public true",
			"--app "+app+" network:set health-check-status 200", "--app "+app+" container:set start-timeout "+s.load.startTimeout); err != nil {
			return err
		}
	}
	if err := s.do(ctx, "changeset:commit"); err != nil {
		return err
	}
	img, err := b.program(ctx, "echo")
	if err != nil {
		return err
	}
	for _, app := range loadApps {
		if s.digests[app], err = img.push(ctx, s.server, app); err != nil {
			return err
		}
	}
	_, err = s.replace(ctx, "")
	return err
}

// replace commits the next version of both apps and gives how long the commit took. With broken set, one of them is a bad
// release; the commit must fail then, and is discarded.
func (s *loadServer) replace(ctx context.Context, broken string) (took time.Duration, err error) {
	s.version++
	if err := s.stageNext(ctx, broken); err != nil {
		return 0, err
	}
	began := time.Now()
	err = s.do(ctx, "changeset:commit")
	took = time.Since(began)
	if broken == "" {
		return took, err
	}
	if err == nil {
		return took, fmt.Errorf("the commit of a release that is broken (%s) was successful", broken)
	}
	return took, s.do(ctx, "changeset:discard")
}

func (s *loadServer) stageNext(ctx context.Context, broken string) error {
	for i, app := range loadApps {
		out, err := output(ctx, s.env(), s.setops, "--app", app, "release:create", s.digests[app])
		if err != nil {
			return err
		}
		found := releaseLine.FindStringSubmatch(out)
		if found == nil {
			return fmt.Errorf("release:create names no release: %s", out)
		}
		commands := []string{
			fmt.Sprintf("--app %s env:set VERSION=%d", app, s.version), fmt.Sprintf("--app %s release:activate %s", app, found[1]),
		}
		if broken != "" && i == s.version%len(loadApps) {
			commands = append(commands, fmt.Sprintf("--app %s env:set BROKEN=%s", app, broken))
		}
		if err := s.do(ctx, commands...); err != nil {
			return err
		}
	}
	return nil
}

// underLoad commits n times under traffic and gives what became of it.
func (s *loadServer) underLoad(ctx context.Context, n int, bad bool) (traffic.Report, samples, error) {
	running, stop := context.WithCancel(ctx)
	defer stop()
	var hosts []string
	for _, app := range loadApps {
		hosts = append(hosts, app+"."+stage+"."+project+".localhost")
	}
	reports := make(chan traffic.Report, 1)
	go func() {
		reports <- traffic.Run(running, traffic.Config{
			Router: s.router, Hosts: hosts, Rate: s.load.rate, Clients: s.load.clients, Streams: s.load.streams, Sockets: s.load.sockets,
		})
	}()
	took, err := s.replaceAll(ctx, n, bad)
	stop()
	report := <-reports
	if err == nil && report.Newest != s.version && !bad {
		err = fmt.Errorf("the newest answer is of version %d, not %d", report.Newest, s.version)
	}
	return report, took, err
}

func (s *loadServer) replaceAll(ctx context.Context, n int, bad bool) (took samples, err error) {
	for i := range n {
		broken := ""
		if bad && i%2 == 1 {
			broken = []string{"exit", "ill"}[i/2%2]
		}
		once, err := s.replace(ctx, broken)
		if err != nil {
			return took, fmt.Errorf("commit %d: %w", i+1, err)
		}
		if broken == "" {
			took.keep(i, once)
		}
		fmt.Fprintf(os.Stderr, "\r  %d/%d", i+1, n)
	}
	fmt.Fprintln(os.Stderr)
	return took, nil
}
