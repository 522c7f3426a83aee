package kubernetes

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/kube"
)

// CheckPorts says why public tcp apps cannot have the ports low to high: nodes of the cluster have others. With high 0 there are none.
func CheckPorts(ctx context.Context, kubeconfig string, r Routing, low, high int) error {
	if r.portType() != core.ServiceTypeNodePort || high == 0 {
		return nil
	}
	api, err := kube.Connect(kubeconfig)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	first, last, err := nodePorts(ctx, api)
	if err == nil && (low < first || high > last) {
		err = fmt.Errorf("--tcp-ports %d-%d is not within the ports that nodes of the cluster at %s have, %d-%d: set --tcp-ports to some of these",
			low, high, api.Config.Host, first, last)
	}
	return err
}

// rangeOfPorts is how a cluster says which ports nodes have.
var rangeOfPorts = regexp.MustCompile(`range of valid ports is (\d+)-(\d+)`)

// nodePorts gives the range of ports that nodes have for Services. The API tells it to those alone who ask for another one, and not where
// they only try (dry run): so it is asked for port 1.
func nodePorts(ctx context.Context, api kube.API) (first, last int, err error) {
	o := &core.Service{
		ObjectMeta: meta.ObjectMeta{Name: "setops-node-port", Namespace: meta.NamespaceDefault, Labels: map[string]string{object.LabelManagedBy: object.Manager}},
		Spec:       core.ServiceSpec{Type: core.ServiceTypeNodePort, Ports: []core.ServicePort{{Port: 1, NodePort: 1}}},
	}
	_, err = api.Core.Services(o.Namespace).Apply(ctx, o, apply)
	if err == nil { // it has them all
		return 1, 65535, api.Core.Services(o.Namespace).Delete(ctx, o.Name, meta.DeleteOptions{})
	}
	if m := rangeOfPorts.FindStringSubmatch(err.Error()); m != nil {
		first, _ = strconv.Atoi(m[1])
		last, _ = strconv.Atoi(m[2])
		return first, last, nil
	}
	return 0, 0, fmt.Errorf("ask the cluster at %s for the ports of its nodes: %w", api.Config.Host, err)
}
