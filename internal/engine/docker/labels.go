//go:build linux

package docker

import (
	"maps"
	"path/filepath"
	"strings"

	"github.com/moby/moby/client"
)

// Labels of what we make. Those of the supervisor stand beside them.
const (
	labelInstance = "setops.instance" // on networks too
	labelStage    = "setops.stage-id" // on networks too
	labelTask     = "setops.task"
	labelAddress  = "setops.address"
	labelLogDir   = "setops.log-dir" // relative to Config.Dir
	labelLogName  = "setops.log-name"
)

// name is that of a container or a network. An image may carry labels, and `docker run` gives them to containers that
// are not ours: it is the name beside them that makes one ours.
func (r *Runtime) name(id string) string { return "setops-" + r.cfg.Instance + "-" + id }

// ours selects by our label. What it gives must still be asked for its name.
func (r *Runtime) ours() client.Filters {
	return client.Filters{}.Add("label", labelInstance+"="+r.cfg.Instance)
}

// isTask reports whether a container that ours selected is a task, and of which id.
func (r *Runtime) isTask(names []string, labels map[string]string) (id string, ok bool) {
	id = labels[labelTask]
	for _, n := range names {
		if strings.TrimPrefix(n, "/") == r.name(id) {
			return id, id != "" && labels[labelInstance] == r.cfg.Instance
		}
	}
	return "", false
}

// labelled adds ours to those that the supervisor wants.
func (r *Runtime) labelled(wanted map[string]string, own map[string]string) map[string]string {
	all := maps.Clone(wanted)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, own)
	all[labelInstance] = r.cfg.Instance
	return all
}

// logLabel names a log's directory. One that is not below ours is named as it is.
func (r *Runtime) logLabel(dir string) string {
	if relative, err := filepath.Rel(r.cfg.Dir, dir); err == nil && filepath.IsLocal(relative) {
		return relative
	}
	return dir
}

func (r *Runtime) logDir(label string) string {
	if filepath.IsAbs(label) {
		return label
	}
	return filepath.Join(r.cfg.Dir, label)
}
