package object

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/setopsco/setops/internal/setops"
)

// Labels and annotations of our objects.
const (
	LabelManagedBy    = "app.kubernetes.io/managed-by"
	LabelName         = "app.kubernetes.io/name"
	LabelInstallation = "setops.dev/installation" // several can share a cluster
	LabelStage        = "setops.dev/stage"        // its id
	LabelApp          = "setops.dev/app"
	LabelGeneration   = "setops.dev/generation"
	LabelRelease      = "setops.dev/release"
	LabelTask         = "setops.dev/task"      // of one-off tasks
	LabelComponent    = "setops.dev/component" // of what the operator has put beside the server: what it is

	AnnotationOrganization = "setops.dev/organization"
	AnnotationProject      = "setops.dev/project"
	AnnotationStage        = "setops.dev/stage-name"
	AnnotationHost         = "setops.dev/host"  // where an app answers inside its stage
	AnnotationFence        = "setops.dev/fence" // of the newest lease that has written
	AnnotationDigest       = "setops.dev/digest"
	AnnotationTag          = "setops.dev/tag"
	AnnotationCreated      = "setops.dev/created"
	AnnotationPort         = "setops.dev/port"
	AnnotationMemory       = "setops.dev/memory" // MB
	AnnotationStopTimeout  = "setops.dev/stop-timeout"
	AnnotationLimit        = "setops.dev/limit"
	AnnotationConsole      = "setops.dev/console" // of one-off tasks that are joined
)

// Manager is who applies our objects, as the cluster records it, and the value of LabelManagedBy.
const Manager = "setops"

// Components.
const (
	ComponentNames = "names" // answers private names
	ComponentProbe = "probe" // is called, to see what network policies do
)

// PullSecret is what images are pulled with, in the namespace of each stage.
const PullSecret = "setops-registry"

// Container is the one that each pod of ours has.
const Container = "app"

// portName is that of the container's port.
const portName = "app"

// mostName is how long a name may be that stands in host names and labels.
const mostName = 63

// Namespace is the name of a stage's: INSTALLATION-ORG-PROJECT-STAGE. Where that is too long, its end is a hash of all. Names of
// organizations, projects and stages have no dashes, so that no two stages have the same one.
func Namespace(installation string, s setops.StageRef) string {
	return short(strings.Join([]string{installation, s.Organization, s.Project, s.Name}, "-"))
}

// Deployment is the name of a generation's: APP-gN, where N is its id, without the name of the app that may be in front.
func Deployment(app, generation string) string {
	return short(app + "-g" + strings.TrimPrefix(generation, app+"-"))
}

// Job is the name of a one-off task's.
func Job(task string) string { return "task-" + task }

// Environment is the name of the secret that belongs to a Deployment or a Job.
func Environment(owner string) string { return owner + "-env" }

func short(name string) string {
	// What is made of it has a suffix: -env, or those of ReplicaSets and pods.
	const room = mostName - len("-env")
	if len(name) <= room {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	hash := hex.EncodeToString(sum[:5])
	return strings.TrimRight(name[:room-len(hash)-1], "-") + "-" + hash
}

// Labels are those of everything that belongs to an installation: what is selected by.
func Labels(installation string) map[string]string {
	return map[string]string{LabelManagedBy: Manager, LabelInstallation: installation}
}

// Named reports whether the key of a label or of an annotation is one of SetOps' own.
func Named(key string) bool { return strings.HasPrefix(key, "setops.dev/") }

// with gives the labels with more.
func with(labels map[string]string, more ...string) map[string]string {
	all := make(map[string]string, len(labels)+len(more)/2)
	for k, v := range labels {
		all[k] = v
	}
	for i := 0; i+1 < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}
