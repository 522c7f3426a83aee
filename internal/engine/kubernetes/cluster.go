package kubernetes

import (
	"fmt"
	"log/slog"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsclient "k8s.io/client-go/kubernetes/typed/apps/v1"
	authorizationclient "k8s.io/client-go/kubernetes/typed/authorization/v1"
	batchclient "k8s.io/client-go/kubernetes/typed/batch/v1"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"
	networkingclient "k8s.io/client-go/kubernetes/typed/networking/v1"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/setopsco/setops/internal/engine/kubernetes/access"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
)

// cluster is the API of one, as far as we use it.
type cluster struct {
	config        *rest.Config
	core          coreclient.CoreV1Interface
	apps          appsclient.AppsV1Interface
	batch         batchclient.BatchV1Interface
	networking    networkingclient.NetworkingV1Interface
	authorization authorizationclient.AuthorizationV1Interface
}

// apply is how we write: fields that are ours become what we say, whoever has changed them.
var apply = meta.ApplyOptions{FieldManager: object.Manager, Force: true}

func connect(kubeconfig string) (c cluster, err error) {
	klog.SetSlogLogger(slog.New(slog.DiscardHandler)) // the client says nothing there that it does not return too
	if c.config, err = access.Config(kubeconfig); err != nil {
		return c, err
	}
	h, err := rest.HTTPClientFor(c.config)
	if err != nil {
		return c, fmt.Errorf("make client of the cluster: %w", err)
	}
	if c.core, err = coreclient.NewForConfigAndClient(c.config, h); err != nil {
		return c, fmt.Errorf("make client of the cluster: %w", err)
	}
	if c.apps, err = appsclient.NewForConfigAndClient(c.config, h); err != nil {
		return c, fmt.Errorf("make client of the cluster: %w", err)
	}
	if c.batch, err = batchclient.NewForConfigAndClient(c.config, h); err != nil {
		return c, fmt.Errorf("make client of the cluster: %w", err)
	}
	if c.networking, err = networkingclient.NewForConfigAndClient(c.config, h); err != nil {
		return c, fmt.Errorf("make client of the cluster: %w", err)
	}
	if c.authorization, err = authorizationclient.NewForConfigAndClient(c.config, h); err != nil {
		return c, fmt.Errorf("make client of the cluster: %w", err)
	}
	return c, nil
}
