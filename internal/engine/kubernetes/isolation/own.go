package isolation

import (
	"context"
	"fmt"
	"os"
	"slices"

	core "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/kube"
)

// server is the name that the manifests give to the container of the server.
const server = "setopsd"

// Own is the program of the pod that this process runs in, which the cluster has, with other arguments.
func Own(ctx context.Context, api kube.API, namespace string, args ...string) (Program, error) {
	name, err := os.Hostname()
	if err != nil {
		return Program{}, fmt.Errorf("find the pod of this server: %w", err)
	}
	pod, err := api.Core.Pods(namespace).Get(ctx, name, meta.GetOptions{})
	if kerrors.IsNotFound(err) || kerrors.IsBadRequest(err) {
		return Program{}, fmt.Errorf("this server is no pod of the namespace %s, so that there is no image to try it with", namespace)
	}
	if err != nil {
		return Program{}, fmt.Errorf("find the pod of this server: %w", err)
	}
	return of(pod, args), nil
}

func of(pod *core.Pod, args []string) Program {
	all := pod.Spec.Containers
	one := all[max(0, slices.IndexFunc(all, func(c core.Container) bool { return c.Name == server }))]
	p := Program{Image: one.Image, Command: one.Command, Args: args}
	for _, secret := range pod.Spec.ImagePullSecrets {
		p.PullSecrets = append(p.PullSecrets, secret.Name)
	}
	return p
}
