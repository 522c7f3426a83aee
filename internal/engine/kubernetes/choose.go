package kubernetes

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/kube"
)

const saysSo = "--routing says so"

// Choose completes what was asked for by what the cluster has, and says why it is that. It refuses what the cluster does not have, or
// does not let this server do; of ByAny it takes the first that is not refused.
func Choose(ctx context.Context, kubeconfig, installation string, wanted Routing) (r Routing, why string, err error) {
	ours := Routing{By: cmp.Or(wanted.By, ByServer), TCP: wanted.TCP}
	isOurs := ours.By == ByServer || ours.By == ByRouter
	if isOurs && len(ours.needs()) == 0 {
		return ours, saysSo, nil
	}
	api, err := kube.Connect(kubeconfig)
	if err != nil {
		return wanted, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	if isOurs {
		return ours, saysSo, checkPermits(ctx, api, ours.needs())
	}
	if wanted.By != ByAny {
		return complete(ctx, api, installation, wanted)
	}
	var lacking []string
	for _, by := range []string{ByGateway, ByIngress} {
		wanted.By = by
		if r, why, err = complete(ctx, api, installation, wanted); err == nil {
			return r, strings.Join(append(lacking, why), "; "), nil
		}
		lacking = append(lacking, err.Error())
	}
	ours.By = ByServer
	return ours, strings.Join(lacking, "; "), checkPermits(ctx, api, ours.needs())
}

func complete(ctx context.Context, api kube.API, installation string, r Routing) (_ Routing, why string, err error) {
	if err := checkPermits(ctx, api, r.needs()); err != nil {
		return r, "", err
	}
	if r.By == ByGateway {
		r.Gateway, why, err = chooseGateway(ctx, api, installation, r.Gateway)
	} else {
		r.IngressClass, why, err = ingressClass(ctx, api, r.IngressClass)
	}
	return r, why, err
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
		return "", "", fmt.Errorf("the cluster at %s has no IngressClass: install a controller for Ingresses, or set --routing to %s or %s", api.Config.Host, ByRouter, ByServer)
	case named != "" && slices.Contains(all, named):
		return named, "--ingress-class says so", nil
	case named != "":
		return "", "", fmt.Errorf("the cluster at %s has no IngressClass %s; set --ingress-class to one that it has: %s", api.Config.Host, named, has)
	case len(byDefault) == 1:
		return byDefault[0], "it is the cluster's default class of Ingresses", nil
	case len(all) == 1:
		return all[0], "it is the cluster's only class of Ingresses", nil
	}
	return "", "", fmt.Errorf("the cluster at %s has several IngressClasses and not one default; set --ingress-class to one of them: %s", api.Config.Host, has)
}
