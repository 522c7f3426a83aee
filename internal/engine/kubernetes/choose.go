package kubernetes

import (
	"context"
	"fmt"
	"slices"
	"strings"

	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/kube"
)

// Choose completes what was asked for by what the cluster has, and says why it is that. It refuses what the cluster does not have, or
// does not let this server do.
func Choose(ctx context.Context, kubeconfig string, wanted Routing) (r Routing, why string, err error) {
	if wanted.By == "" || wanted.By == ByServer {
		return wanted, "--routing says so", nil
	}
	api, err := kube.Connect(kubeconfig)
	if err != nil {
		return wanted, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	if err := checkPermits(ctx, api, wanted.needs()); err != nil {
		return wanted, "", err
	}
	wanted.IngressClass, why, err = ingressClass(ctx, api, wanted.IngressClass)
	return wanted, why, err
}

// ingressClass gives the one that was named, else the default one, else the only one.
func ingressClass(ctx context.Context, api kube.API, named string) (class, why string, err error) {
	list, err := api.Networking.IngressClasses().List(ctx, meta.ListOptions{})
	if err != nil {
		return "", "", fmt.Errorf("list the classes of Ingresses of the cluster at %s: %w", api.Config.Host, err)
	}
	var all, byDefault []string
	for _, c := range list.Items {
		all = append(all, c.Name)
		if c.Annotations[networking.AnnotationIsDefaultIngressClass] == "true" {
			byDefault = append(byDefault, c.Name)
		}
	}
	has := strings.Join(all, ", ")
	switch {
	case len(all) == 0:
		return "", "", fmt.Errorf("the cluster at %s has no IngressClass: install a controller for Ingresses, or set --routing %s", api.Config.Host, ByServer)
	case named != "" && slices.Contains(all, named):
		return named, "--ingress-class says so", nil
	case named != "":
		return "", "", fmt.Errorf("the cluster at %s has no IngressClass %s; set --ingress-class to one that it has: %s", api.Config.Host, named, has)
	case len(byDefault) == 1:
		return byDefault[0], "it is the cluster's default class", nil
	case len(all) == 1:
		return all[0], "it is the cluster's only class", nil
	}
	return "", "", fmt.Errorf("the cluster at %s has several IngressClasses and not one default; set --ingress-class to one of them: %s", api.Config.Host, has)
}
