//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/setopsco/setops/internal/bench/load"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

const (
	scaleAtOnce = 4   // stages
	scaleStart  = 600 // start timeout, in seconds
	scaleTries  = 3   // of a commit, besides the first
)

// fill makes thousands of tasks as users would: several stages at a time.
func (s *scale) fill(ctx context.Context) error {
	img, err := imageOf("hello", []byte("which no simulated node runs"))
	if err != nil {
		return err
	}
	began := time.Now()
	err = load.EachOf(s.stages, scaleAtOnce, func(i int) error { return s.fillStage(ctx, load.StageName(i), img) })
	s.filling, s.peak = time.Since(began), field(fmt.Sprintf("/proc/%d/status", s.pid()), "VmHWM")
	return err
}

func (s *scale) fillStage(ctx context.Context, name string, img v1.Image) error {
	ref := client.StageRef{ProjectRef: projectRef, Stage: name}
	if _, err := s.CreateStage(ctx, ref); err != nil {
		return err
	}
	apps := make([]string, scaleApps)
	var create, deploy []api.Arguments
	for i := range apps {
		apps[i] = fmt.Sprintf("app%d", i)
		create = append(create, api.AppCreate{Name: apps[i]}, api.ResourceSet{Name: apps[i], Scale: new(scaleTasks)},
			api.ContainerSet{Name: apps[i], StartTimeout: new(scaleStart)})
	}
	if err := load.Commit(ctx, s.Client, ref, create...); err != nil {
		return err
	}
	digest, err := img.Digest()
	if err != nil {
		return err
	}
	if err := load.Each(len(apps), func(i int) error { return s.push(ctx, img, name, apps[i]) }); err != nil {
		return err
	}
	for _, app := range apps {
		deploy = append(deploy, api.ReleaseCreate{Name: app, Digest: digest.String()}, api.ReleaseActivate{Name: app, ReleaseID: 1})
	}
	return s.deployAll(ctx, ref, deploy)
}

// deployAll commits, and again where the cluster did not keep up, as users would.
func (s *scale) deployAll(ctx context.Context, ref client.StageRef, deploy []api.Arguments) error {
	err := load.Commit(ctx, s.Client, ref, deploy...)
	for range scaleTries {
		if err == nil || ctx.Err() != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "  again: %v\n", err)
		s.again.Add(1)
		err = load.Commit(ctx, s.Client, ref)
	}
	return err
}

// crowd is a Deployment as large as the app that is measured.
const crowd = "crowd"

func (k *kubectl) crowd(ctx context.Context) error {
	_, err := k.do(ctx, "", "create", "deployment", crowd, "--image=setops.local/nothing:1", fmt.Sprintf("--replicas=%d", scaleTasks))
	return errors.Join(err, k.awaitCrowd(ctx))
}

func (k *kubectl) replaceCrowd(ctx context.Context) error {
	_, err := k.do(ctx, "", "rollout", "restart", "deployment/"+crowd)
	return errors.Join(err, k.awaitCrowd(ctx))
}

func (k *kubectl) awaitCrowd(ctx context.Context) error {
	_, err := k.do(ctx, "", "rollout", "status", "deployment/"+crowd, "--timeout=2m")
	return err
}
