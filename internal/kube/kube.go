// Package kube is the API of a Kubernetes cluster as far as we use it: a client per resource, typed, of the few groups that we
// write and follow. It knows nothing of stages and apps.
//
// It is made of client-go's REST client, and not of its clientset, which brings in every group of Kubernetes in all versions.
//
// Start with Connect. What can be done with a resource is in client.go, and which there are in resources.go; where in a cluster we run
// is in place.go.
package kube

import (
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	apps "k8s.io/api/apps/v1"
	authorization "k8s.io/api/authorization/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// API is that of one cluster.
type API struct {
	Config        *rest.Config
	Core          Core
	Apps          Apps
	Batch         Batch
	Networking    Networking
	Discovery     Discovery
	Policy        Policy
	Authorization Authorization
	Gateway       Gateway // not every cluster has it
}

// Connect makes the clients of the cluster that the file kubeconfig says; empty: of the one that this process runs in. It asks
// nothing of the cluster.
func Connect(kubeconfig string) (API, error) {
	quiet()
	config, err := configure(kubeconfig)
	if err != nil {
		return API{}, err
	}
	config.UserAgent = "setopsd"
	forAnswers.limit(config)
	return New(config)
}

// quiet drops what the client logs: it says nothing there that it does not return too. Clients that run read the logger, so it is set once.
var quiet = sync.OnceFunc(func() { klog.SetSlogLogger(slog.New(slog.DiscardHandler)) })

// New makes the clients of a cluster, which share their connections.
func New(config *rest.Config) (API, error) {
	types, err := known()
	if err != nil {
		return API{}, err
	}
	h, err := rest.HTTPClientFor(config)
	if err != nil {
		return API{}, fmt.Errorf("make client of the cluster: %w", err)
	}
	a := API{Config: config}
	for at, of := range map[schema.GroupVersion]*group{
		core.SchemeGroupVersion:          (*group)(&a.Core),
		apps.SchemeGroupVersion:          (*group)(&a.Apps),
		batch.SchemeGroupVersion:         (*group)(&a.Batch),
		networking.SchemeGroupVersion:    (*group)(&a.Networking),
		discovery.SchemeGroupVersion:     (*group)(&a.Discovery),
		policy.SchemeGroupVersion:        (*group)(&a.Policy),
		authorization.SchemeGroupVersion: (*group)(&a.Authorization),
		gatewayVersion:                   (*group)(&a.Gateway),
	} {
		if *of, err = newGroup(config, h, types, at); err != nil {
			return API{}, fmt.Errorf("make client of the cluster: %w", err)
		}
	}
	a.Gateway.custom = true
	return a, nil
}

var gatewayVersion = schema.GroupVersion(gateway.GroupVersion)

// group is one group of the API, in one version.
type group struct {
	rest   rest.Interface
	params runtime.ParameterCodec
	custom bool // resources are defined in the cluster: they are written in JSON alone
}

func newGroup(config *rest.Config, h *http.Client, types *runtime.Scheme, at schema.GroupVersion) (group, error) {
	of := rest.CopyConfig(config)
	of.GroupVersion, of.APIPath = &at, "/apis"
	if at.Group == "" {
		of.APIPath = "/api"
	}
	of.NegotiatedSerializer = rest.CodecFactoryForGeneratedClient(types, serializer.NewCodecFactory(types)).WithoutConversion()
	client, err := rest.RESTClientForConfigAndClient(of, h)
	return group{rest: client, params: runtime.NewParameterCodec(types)}, err
}

// known has the types that the API speaks in.
var known = sync.OnceValues(func() (*runtime.Scheme, error) {
	types := runtime.NewScheme()
	meta.AddToGroupVersion(types, schema.GroupVersion{Version: "v1"})
	builder := runtime.NewSchemeBuilder(core.AddToScheme, apps.AddToScheme, batch.AddToScheme, networking.AddToScheme, discovery.AddToScheme,
		policy.AddToScheme, authorization.AddToScheme, gateway.Install)
	if err := builder.AddToScheme(types); err != nil {
		return nil, fmt.Errorf("register the types of the cluster: %w", err)
	}
	return types, nil
})

func configure(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		c, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("this server does not run in a cluster, and no kubeconfig says where there is one: %w", err)
		}
		return c, nil
	}
	c, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig %s: %w", kubeconfig, err)
	}
	return c, nil
}
