package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	authorization "k8s.io/api/authorization/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"

	"github.com/setopsco/setops/internal/kube"
)

// oldest is the first version of the API that can have a pod serve on while everybody learns that it goes.
const oldest = 34

// need is what this server must be allowed to do, as the cluster's own roles say it.
type need struct{ group, resource, verbs string }

var needs = []need{
	{"", "namespaces", "get list watch create patch delete"},
	{"", "pods", "get list watch patch delete"},
	{"", "pods/log", "get"},
	{"", "pods/exec", "get create"},
	{"", "pods/attach", "get create"},
	{"", "configmaps", "create patch"},
	{"", "secrets", "get create patch"},
	{"", "services", "get list create patch delete"},
	{"", "events", "list"},
	{"apps", "deployments", "get list watch create patch delete"},
	{"batch", "jobs", "get create patch delete deletecollection"},
	{"networking.k8s.io", "networkpolicies", "list create patch"},
	{"discovery.k8s.io", "endpointslices", "list watch"},
	{"policy", "poddisruptionbudgets", "create patch"},
}

// checkLimit is how long a cluster may take to answer.
const checkLimit = 15 * time.Second

// Check says why a cluster cannot be had: it does not answer, is too old, or does not let this server do what it must.
func Check(ctx context.Context, kubeconfig string) error {
	c, err := kube.Connect(kubeconfig)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	body, err := c.Core.RESTClient().Get().AbsPath("/version").DoRaw(ctx)
	if err != nil {
		return fmt.Errorf("the cluster at %s does not answer: %w", c.Config.Host, err)
	}
	var v version.Info
	if err := json.Unmarshal(body, &v); err != nil {
		return fmt.Errorf("the cluster at %s does not say its version: %w", c.Config.Host, err)
	}
	if tooOld(v) {
		return fmt.Errorf("the cluster at %s runs Kubernetes %s; 1.%d or newer is needed", c.Config.Host, v.GitVersion, oldest)
	}
	return checkPermits(ctx, c, needs)
}

func tooOld(v version.Info) bool {
	minor, err := strconv.Atoi(strings.TrimRight(v.Minor, "+"))
	return err == nil && v.Major == "1" && minor < oldest
}

// checkPermits names all that is missing at once.
func checkPermits(ctx context.Context, c kube.API, needs []need) error {
	var missing []string
	for _, need := range needs {
		resource, sub, _ := strings.Cut(need.resource, "/")
		var refused []string
		for verb := range strings.SplitSeq(need.verbs, " ") {
			review, err := c.Authorization.SelfSubjectAccessReviews().Create(ctx, &authorization.SelfSubjectAccessReview{
				Spec: authorization.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorization.ResourceAttributes{
					Verb: verb, Group: need.group, Resource: resource, Subresource: sub,
				}},
			}, meta.CreateOptions{})
			if err != nil {
				return fmt.Errorf("ask the cluster at %s what this server may do: %w", c.Config.Host, err)
			}
			if !review.Status.Allowed {
				refused = append(refused, verb)
			}
		}
		if len(refused) > 0 {
			missing = append(missing, strings.Join(refused, ", ")+" "+need.resource)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the cluster at %s does not let this server %s", c.Config.Host, strings.Join(missing, "; "))
	}
	return nil
}
