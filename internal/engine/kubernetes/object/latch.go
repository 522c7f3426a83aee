package object

import (
	"strconv"
	"strings"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"

	"github.com/setopsco/setops/internal/engine"
)

// How the program of an interactive task is connected to, as an annotation says it.
const (
	ConsolePipe     = "pipe"
	ConsoleTerminal = "terminal"
)

const (
	latchDir  = "/.setops"
	latchName = "latch"
)

// What the latch of a task answers to who asks whether it waits, and says last of all, behind its word.
const (
	LatchWaits = "?"
	LatchOpens = "!"
)

// Unrun is before what a latch leaves as the last words of a container whose program it could not execute.
const Unrun = "setops-latch: "

// LatchWord begins what the latch of a task says, and nothing else that the task writes.
func LatchWord(task string) string { return "setops-latch-" + task }

// latch is the name of what a task's latch is brought in with.
func latch(task string) string { return Job(task) + "-latch" }

// Latch brings the program into a task that holds the task's own back until somebody is connected to it.
func (s Stage) Latch(o engine.OneOff, program []byte) *core.ConfigMap {
	return &core.ConfigMap{
		ObjectMeta: s.meta(latch(o.ID), s.taskLabels(o)), Immutable: new(true),
		BinaryData: map[string][]byte{latchName: program},
	}
}

// latched makes of a Job one whose program, which argv says, is behind a latch. The cluster closes its input with the first that leaves.
func (s Stage) latched(job *batch.Job, o engine.OneOff, argv []string) {
	pod := &job.Spec.Template.Spec
	pod.Volumes = []core.Volume{{Name: latchName, VolumeSource: core.VolumeSource{ConfigMap: &core.ConfigMapVolumeSource{
		LocalObjectReference: core.LocalObjectReference{Name: latch(o.ID)}, DefaultMode: new(int32(0o555)),
	}}}}
	c := &pod.Containers[0]
	c.VolumeMounts = []core.VolumeMount{{Name: latchName, MountPath: latchDir, ReadOnly: true}}
	c.Stdin, c.StdinOnce, c.TTY = true, true, o.Console.Terminal
	faces, console := 2, ConsolePipe
	if o.Console.Terminal {
		faces, console = 1, ConsoleTerminal
		// Shells that a person types into are deaf to SIGTERM.
		c.Lifecycle = &core.Lifecycle{PreStop: &core.LifecycleHandler{Exec: &core.ExecAction{Command: []string{latchDir + "/" + latchName, "hangup"}}}}
	}
	c.Command = []string{
		latchDir + "/" + latchName, LatchWord(o.ID), strconv.Itoa(faces),
		strconv.Itoa(int(o.Console.Size.Columns)), strconv.Itoa(int(o.Console.Size.Rows)),
	}
	c.Args = literal(argv)
	job.Annotations[AnnotationConsole] = console
}

// SaysLatch reports whether a line is one of a task's latch. On a terminal what was typed to it may stand before it.
func SaysLatch(task, line string) bool {
	line = strings.TrimSuffix(line, "\r")
	return strings.HasSuffix(line, LatchWord(task)+LatchWaits) || strings.HasSuffix(line, LatchWord(task)+LatchOpens)
}
