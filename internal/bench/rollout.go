//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	rolloutRounds = 5
	rolloutTasks  = 2
	// rolloutRow is how many answers in a row must come from new processes: each is by a connection of its own.
	rolloutRow   = 20
	rolloutLimit = 2 * time.Minute
)

// measureRollout commits a new release of an app on a cluster again and again, and has kubectl roll a Deployment of the same image out
// in between. Both clocks run from the start of the command until only new processes answer.
func measureRollout(ctx context.Context, b *bench, res *result) (err error) {
	flags, err := clusterFlags()
	if err != nil {
		return err
	}
	s, err := b.openServer(ctx, "rollout", nil, append([]string{"--engine", "kubernetes"}, flags...)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(context.WithoutCancel(ctx))) }()
	if err := s.addApp(ctx); err != nil {
		return err
	}
	if err := s.do(ctx, fmt.Sprintf("resource:set scale %d", rolloutTasks), "network:set health-check-path /"); err != nil {
		return err
	}
	digest, err := b.deploy(ctx, s)
	if err != nil {
		return err
	}
	k := &kubectl{
		program: first(os.Getenv("SETOPS_TEST_KUBECTL"), "kubectl"), kubeconfig: os.Getenv("SETOPS_TEST_KUBECONFIG"),
		registry: os.Getenv("SETOPS_TEST_KUBE_REGISTRY"),
	}
	defer func() { err = errors.Join(err, k.remove(context.WithoutCancel(ctx))) }()
	if err := k.deploy(ctx, s, digest); err != nil {
		return err
	}
	var ours, peer samples
	err = rounds(rolloutRounds,
		func(round int) error { return s.commitOnce(ctx, digest, round, &ours) },
		func(round int) error { return k.rollOnce(ctx, round, &peer) },
	)
	if err != nil {
		return err
	}
	res.add(versus(fmt.Sprintf("Cluster: `changeset:commit` / `kubectl rollout restart` of %d tasks to switched traffic", rolloutTasks), ours, peer, 0))
	res.note("On the cluster both sides have the same image, readiness every 2 s, no task less meanwhile, and 5 s in which an old task serves on. " +
		"Requests come by a new connection each, to our router, and to the port of a node, whose Service has old and new tasks at a time.")
	return nil
}

// commitOnce times the commit of a new release of the image.
func (s *server) commitOnce(ctx context.Context, digest string, round int, took *samples) error {
	id, err := s.release(ctx, digest)
	if err != nil {
		return err
	}
	if err := s.do(ctx, "release:activate "+id); err != nil {
		return err
	}
	err = timeSwitch(ctx, "http://"+s.router, appHost, round, took, func() error { return s.do(ctx, "changeset:commit") })
	return errors.Join(err, s.settle(ctx, rolloutTasks))
}

// timeSwitch runs what replaces the processes that answer at a URL, and keeps the time until the last of them has answered.
func timeSwitch(ctx context.Context, url, host string, round int, took *samples, replace func() error) error {
	old, _, err := answering(ctx, url, host, nil)
	if err != nil {
		return err
	}
	began := time.Now()
	replaced := make(chan error, 1)
	go func() { replaced <- replace() }()
	_, at, err := answering(ctx, url, host, old)
	took.keep(round, at.Sub(began))
	return errors.Join(<-replaced, err)
}

// answering asks until a row of answers comes from none of the old processes. It gives who answers then, and when the row began.
func answering(ctx context.Context, url, host string, old map[string]bool) (now map[string]bool, since time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, rolloutLimit)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	row := 0
	for ctx.Err() == nil {
		asked := time.Now()
		var instance string
		instance, err = ask(ctx, client, url, host)
		switch {
		case err != nil || old[instance]:
			row = 0
		case row == 0:
			now, since, row = map[string]bool{instance: true}, asked, 1
		default:
			now[instance] = true
			if row++; row == rolloutRow {
				return now, since, nil
			}
		}
		time.Sleep(askEvery)
	}
	return nil, since, fmt.Errorf("await answers of new processes alone at %s within %s: %w", url, rolloutLimit, firstError(err, ctx.Err()))
}

// kubectl has a namespace of its own on the cluster.
type kubectl struct{ program, kubeconfig, registry, url string }

const peerSpace = "setops-bench-peer"

// peerManifest is what a careful operator writes for one app.
const peerManifest = `
apiVersion: v1
kind: Namespace
metadata: {name: setops-bench-peer}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: hello, namespace: setops-bench-peer}
spec:
  replicas: %d
  selector: {matchLabels: {app: hello}}
  strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: "100%%"}}
  template:
    metadata: {labels: {app: hello}}
    spec:
      imagePullSecrets: [{name: pull}]
      automountServiceAccountToken: false
      containers:
      - name: hello
        image: %s
        env: [{name: PORT, value: "5000"}]
        ports: [{containerPort: 5000}]
        readinessProbe: {httpGet: {path: /, port: 5000}, periodSeconds: 2}
        lifecycle: {preStop: {sleep: {seconds: 5}}}
---
apiVersion: v1
kind: Service
metadata: {name: hello, namespace: setops-bench-peer}
spec: {type: NodePort, selector: {app: hello}, ports: [{port: 80, targetPort: 5000}]}
`

func (k *kubectl) do(ctx context.Context, input string, args ...string) (string, error) {
	return spoken(ctx, input, nil, k.program, append([]string{"--kubeconfig=" + k.kubeconfig}, args...)...)
}

// deploy makes the Deployment, of the image that is in the registry of s.
func (k *kubectl) deploy(ctx context.Context, s *server, digest string) error {
	image := k.registry + "/" + repository + "@" + digest
	_, err := k.do(ctx, fmt.Sprintf(peerManifest, rolloutTasks, image), "apply", "-f", "-")
	if err != nil {
		return err
	}
	if _, err := k.do(ctx, "", "-n", peerSpace, "create", "secret", "docker-registry", "pull",
		"--docker-server="+k.registry, "--docker-username="+admin, "--docker-password="+s.password); err != nil {
		return err
	}
	if _, err := k.do(ctx, "", "-n", peerSpace, "rollout", "status", "deployment/hello", "--timeout=2m"); err != nil {
		return err
	}
	node, err := k.do(ctx, "", "get", "nodes", "-o", `jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}`)
	if err != nil {
		return err
	}
	port, err := k.do(ctx, "", "-n", peerSpace, "get", "service", "hello", "-o", "jsonpath={.spec.ports[0].nodePort}")
	k.url = "http://" + strings.TrimSpace(node) + ":" + strings.TrimSpace(port)
	return err
}

// rollOnce times a rollout, and waits until the pods that it replaced are gone.
func (k *kubectl) rollOnce(ctx context.Context, round int, took *samples) error {
	err := timeSwitch(ctx, k.url, "", round, took, func() error {
		if _, err := k.do(ctx, "", "-n", peerSpace, "rollout", "restart", "deployment/hello"); err != nil {
			return err
		}
		_, err := k.do(ctx, "", "-n", peerSpace, "rollout", "status", "deployment/hello", "--timeout=2m")
		return err
	})
	if err != nil {
		return err
	}
	for {
		pods, err := k.do(ctx, "", "-n", peerSpace, "get", "pods", "-o", "name")
		if err != nil || len(strings.Fields(pods)) <= rolloutTasks {
			return err
		}
		time.Sleep(500 * time.Millisecond)
	}
}

func (k *kubectl) remove(ctx context.Context) error {
	_, err := k.do(ctx, "", "delete", "namespace", peerSpace, "--ignore-not-found")
	return err
}
