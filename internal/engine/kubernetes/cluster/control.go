package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	control = "control"
	pki     = "/run/cluster/pki/"
)

// startControl starts etcd and the API server, and does not wait for them.
func (c *Cluster) startControl(ctx context.Context, leashed bool) error {
	pid, err := c.startMachine(control, leashed)
	if err != nil {
		return err
	}
	if err := c.wireControl(ctx, pid); err != nil {
		return err
	}
	if err := c.run(control, "kubernetes", "etcd",
		"--data-dir=/run/machine/etcd", "--unsafe-no-fsync", // a test's cluster does not outlive a power cut
		"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380",
		"--initial-cluster=default=http://127.0.0.1:2380"); err != nil {
		return err
	}
	return c.StartAPIServer()
}

// StartAPIServer starts it again, for tests that have killed it.
func (c *Cluster) StartAPIServer() error {
	if err := c.forget(control, "kube-apiserver"); err != nil {
		return err
	}
	return c.run(control, "kubernetes", "kube-apiserver",
		"--advertise-address="+c.controlAddress(), "--secure-port=6443", "--etcd-servers=http://127.0.0.1:2379",
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true",
		"--client-ca-file="+pki+"ca.crt", "--tls-cert-file="+pki+"apiserver.crt", "--tls-private-key-file="+pki+"apiserver.key",
		"--kubelet-client-certificate="+pki+"apiserver-kubelet.crt", "--kubelet-client-key="+pki+"apiserver-kubelet.key",
		"--kubelet-certificate-authority="+pki+"ca.crt", "--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file="+pki+"service-accounts.crt",
		"--service-account-signing-key-file="+pki+"service-accounts.key",
		"--requestheader-client-ca-file="+pki+"ca.crt", "--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
		"--service-cluster-ip-range="+c.services(), "--event-ttl=30m")
}

// awaitControl waits for the API server, and starts what cannot be started before.
func (c *Cluster) awaitControl(ctx context.Context) error {
	err := c.await(ctx, 3*time.Minute, "the API server", func() error {
		_, err := c.kubectl(ctx, nil, "get", "--raw", "/readyz")
		return err
	})
	if err != nil {
		return err
	}
	controllers := c.caller("kube-controller-manager")
	if c.Nodes == 0 { // kwok is late on a busy machine, and does not make pods ready again whose node was taken for lost
		controllers = append(controllers, "--node-monitor-grace-period=10m")
	}
	if err := c.run(control, "kubernetes", "kube-controller-manager", append(controllers,
		"--flex-volume-plugin-dir=/var/lib/kubelet/volume-plugins", // it makes it, outside of the machine by default
		"--use-service-account-credentials", "--service-account-private-key-file="+pki+"service-accounts.key",
		"--root-ca-file="+pki+"ca.crt", "--cluster-signing-cert-file="+pki+"ca.crt", "--cluster-signing-key-file="+pki+"ca.key",
		"--cluster-cidr="+c.network(), "--allocate-node-cidrs=false",
		"--kube-api-qps=300", "--kube-api-burst=300", "--concurrent-deployment-syncs=10", "--concurrent-replicaset-syncs=10")...); err != nil {
		return err
	}
	if err := c.run(control, "kubernetes", "kube-scheduler", append(c.caller("kube-scheduler"),
		"--kube-api-qps=500", "--kube-api-burst=500")...); err != nil {
		return err
	}
	return c.await(ctx, time.Minute, "the first service account", func() error {
		_, err := c.kubectl(ctx, nil, "get", "serviceaccount", "default")
		return err
	})
}

// caller is how a part of the control plane, of which there is one, calls the API server.
func (c *Cluster) caller(name string) []string {
	file := pki + name + ".kubeconfig"
	return []string{
		"--kubeconfig=" + file, "--authentication-kubeconfig=" + file, "--authorization-kubeconfig=" + file,
		"--leader-elect=false", "--bind-address=127.0.0.1",
	}
}

// simulate adds nodes that kwok plays. They have a label, type=simulated, and a taint of the same name where there are others.
func (c *Cluster) simulate(ctx context.Context, nodes int) error {
	if err := c.applyFile(ctx, "kwok.yaml"); err != nil {
		return err
	}
	err := c.await(ctx, time.Minute, "the resources of kwok", func() error {
		_, err := c.kubectl(ctx, nil, "wait", "--for=condition=Established", "crd/stages.kwok.x-k8s.io", "--timeout=1s")
		return err
	})
	if err != nil {
		return err
	}
	if err := c.applyFile(ctx, "stages.yaml"); err != nil {
		return err
	}
	if err := c.run(control, "kwok", "kwok", "--kubeconfig="+pki+"admin.kubeconfig", "--manage-all-nodes=false",
		"--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake", "--cidr="+c.address(100, 0)+"/20",
		"--node-ip="+c.controlAddress(), "--node-port=10247", "--tls-cert-file="+pki+"apiserver.crt", "--tls-private-key-file="+pki+"apiserver.key",
		"--enable-crds=Stage", "--node-lease-duration-seconds=120"); err != nil {
		return err
	}
	if err := c.applyTemplate(ctx, "simulated.yaml", struct {
		Nodes   []struct{}
		Tainted bool
	}{make([]struct{}, nodes), c.Nodes > 0}); err != nil {
		return err
	}
	return c.await(ctx, 2*time.Minute, fmt.Sprintf("%d simulated nodes", nodes), func() error {
		// One look at all of them: kubectl wait looks at one after the other.
		ready, err := c.kubectl(ctx, nil, "get", "nodes", "-l", "type=simulated", "-o",
			`jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{" "}{end}`)
		if n := strings.Count(ready, "True"); err == nil && n < nodes {
			err = fmt.Errorf("%d of them are ready", n)
		}
		return err
	})
}
