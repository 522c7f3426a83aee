//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/setopsco/setops/internal/engine/kubernetes/cluster"
	"github.com/setopsco/setops/internal/engine/kubernetes/meter"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// What a stage of a full cluster has.
const (
	scaleNodes = 40
	scaleApps  = 25
	scaleTasks = 16 // of each app: as many as one can have
)

const (
	scaleRounds  = 3
	scaleReads   = 100
	scaleRatio   = 2
	scaleRead    = 100 * time.Millisecond
	scaleMemory  = 500 << 20 // bytes
	scaleAsked   = 20        // requests of a commit, as the test of that allows
	scaleSettled = 3 * time.Minute
)

// scale is a setopsd on a cluster of its own, whose nodes are played.
type scale struct {
	*server
	*client.Client
	cluster *cluster.Cluster
	kubectl *kubectl
	digest  string
	stages  int // of a full cluster
	filling time.Duration
	peak    string       // of memory meanwhile
	again   atomic.Int32 // commits that filled it and were tried once more
}

// measureScale measures one app on a cluster where nothing else runs, and again among thousands of tasks.
func measureScale(ctx context.Context, b *bench, res *result) (err error) {
	c, err := cluster.Up(ctx, cluster.Options{
		Simulated: b.scaleStages * scaleNodes, Leashed: true, Progress: func(line string) { fmt.Fprintln(os.Stderr, " ", line) },
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Down()) }()
	s, err := b.openScale(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	empty, err := s.look(ctx)
	if err != nil {
		return err
	}
	if err := s.fill(ctx); err != nil {
		return err
	}
	full, err := s.look(ctx)
	if err != nil {
		return err
	}
	res.addScale(s, empty, full)
	return nil
}

// openScale starts the server, with the app that is measured.
func (b *bench) openScale(ctx context.Context, c *cluster.Cluster) (*scale, error) {
	flags := append([]string{"--engine", "kubernetes"}, clusterFlagsOf(c.Kubeconfig(), c.Registry(), c.Host())...)
	base, err := b.openServer(ctx, "scale", nil, flags...)
	if err != nil {
		return nil, err
	}
	s := &scale{server: base, stages: b.scaleStages, cluster: c, kubectl: &kubectl{program: c.Kubectl(), kubeconfig: c.Kubeconfig()}}
	if err := s.prepare(ctx, b); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func (s *scale) prepare(ctx context.Context, b *bench) error {
	signedIn, err := client.New("http://"+s.api, "", client.Options{}).SignIn(ctx, api.Credentials{
		Organization: organization, Email: admin, Password: s.password,
	})
	if err != nil {
		return err
	}
	s.Client = client.New("http://"+s.api, signedIn.Token, client.Options{})
	// It is not public: then it has no check that asks its tasks, which nobody would answer.
	if err := s.do(ctx, "project:create", "stage:create", "app:create "+appName, fmt.Sprintf("resource:set scale %d", scaleTasks), "changeset:commit"); err != nil {
		return err
	}
	if s.digest, err = b.deploy(ctx, s.server); err != nil {
		return err
	}
	return s.kubectl.crowd(ctx)
}

// space is the namespace of the stage that is measured.
func (s *scale) space() string {
	instance := strings.TrimSpace(read(filepath.Join(s.dir, "data", "instance")))
	return instance + "-" + organization + "-" + project + "-" + stage
}

// commit replaces the app's tasks: it gives how long that took from the activation of the release on.
func (s *scale) commit(ctx context.Context) (took time.Duration, err error) {
	id, err := s.release(ctx, s.digest)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = s.do(ctx, "release:activate "+id, "changeset:commit")
	took = time.Since(began)
	return took, errors.Join(err, s.settleWithin(ctx, scaleTasks, scaleSettled))
}

// metered counts what is asked of the cluster, by a server that is started anew: for a commit, and in a while in which nobody wants
// anything. The one that is measured otherwise has connections of its own to the cluster.
func (s *scale) metered(ctx context.Context) (commit, idle meter.Counts, err error) {
	m, err := meter.Open(s.cluster.Kubeconfig(), s.dir)
	if err != nil {
		return nil, nil, err
	}
	defer m.Close()
	flags := s.flags
	s.flags = append(flags[:len(flags):len(flags)], "--kubeconfig", m.Kubeconfig)
	defer func() {
		s.flags = flags
		err = errors.Join(err, s.stop(), s.start(ctx))
	}()
	if err := errors.Join(s.stop(), s.start(ctx)); err != nil {
		return nil, nil, err
	}
	m.Only(s.space()) // others are looked at from time to time
	before := m.Counts()
	if _, err := s.commit(ctx); err != nil {
		return nil, nil, err
	}
	commit = m.Since(before).Without("watch", "pods/log")
	m.Only("")
	before = m.Counts()
	if err := wait(ctx, time.Minute); err != nil {
		return nil, nil, err
	}
	return commit, m.Since(before), nil
}

// untried is the part of a commit that is not the time for which a task without checks has to be up.
func untried(all samples) (rest samples) {
	for _, took := range all {
		rest = append(rest, took-setops.ProvenAfter)
	}
	return rest
}
