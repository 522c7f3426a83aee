// Package enginetest is the suite that every engine passes: what package engine promises, tried on real tasks. It says
// nothing about how an engine does it.
//
// Start with Run. The program in the images is testapp; what it can do is in package script.
package enginetest

import (
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine"
)

// Harness is one engine as the suite sees it.
type Harness struct {
	// New makes the engine whose state is in dir. It asks d to drain tasks, and has serve answer private names where
	// Fronts says that there are any. The suite closes it, and calls New again with the same dir to have the
	// tasks adopted. What the suite leaves when t ends is the harness's to clean up.
	New func(t *testing.T, dir string, d engine.Drainer, serve engine.Serve) engine.Engine
	// Image has testapp as its entrypoint ["/testapp"] and ["serve"] as its command. Foreign is an image that can
	// never run here, as it is for another architecture.
	Image, Foreign engine.Image
	// Proven is how long a task without checks must stay up.
	Proven time.Duration
	// Isolates says that tasks of a stage cannot reach those of another.
	Isolates bool
	// Fronts says that the engine is an engine.Fronts.
	Fronts bool
	// SeesPorts says that a refused network check tells on which ports the task listens instead.
	SeesPorts bool
	// RestartsInPlace says that a task that is ill ends before another takes its place: a cluster has its node run the
	// container again, and does not move requests first.
	RestartsInPlace bool
	// LeavesAttached says that a program goes on when who attached it has left: a cluster can begin programs inside a
	// task, and has no call that ends one. It ends with its task.
	LeavesAttached bool
	// Beside says that tests may run beside each other, as many as go test -parallel lets: where most of the time somebody waits
	// for a cluster.
	Beside bool
}

// Run holds an engine to all that engines promise.
func Run(t *testing.T, h Harness) {
	for _, one := range tests {
		t.Run(one.name, func(t *testing.T) {
			if one.needs != nil && !one.needs(h) {
				t.Skip("this engine does not claim to do that")
			}
			if h.Beside {
				t.Parallel()
			}
			one.run(t, newWorld(t, h))
		})
	}
}

type test struct {
	name  string
	run   func(*testing.T, *world)
	needs func(Harness) bool // nil: every engine
}

var tests = []test{
	{name: "a task gets its settings and answers", run: aTaskAnswers},
	{name: "scale is followed without touching other tasks", run: scaleIsFollowed},
	{name: "a generation of scale 0 is ready at once", run: scaleZeroIsReady},
	{name: "removing a generation leaves nothing of it", run: removingLeavesNothing},
	{name: "changes are reported", run: changesAreReported},
	{name: "who has an older lease of a stage is refused", run: olderLeasesAreRefused},

	{name: "a task is RUNNING only after its network check", run: networkCheckGates},
	{name: "a task that never answers fails the network check", run: networkCheckFails},
	{
		name: "a task on the wrong port is told so", run: wrongPort,
		needs: func(h Harness) bool { return h.SeesPorts },
	},
	{name: "a task is RUNNING only after its container check", run: containerCheckGates},
	{name: "a task that never gets healthy fails the container check", run: containerCheckFails},
	{name: "a task without checks must stay up", run: tasksWithoutChecksAreProven},
	{name: "the third task that ends before it was ready ends the wait", run: thirdEndCounts},
	{name: "an image without its program fails at once", run: missingProgram},
	{name: "an image for another machine fails at once", run: foreignImage},
	{name: "awaiting ends with its context", run: awaitingEndsWithItsContext},

	{name: "a task that ends is replaced", run: endedTasksAreReplaced},
	{name: "a task that gets unhealthy is replaced and goes when the other runs", run: unhealthyTasksAreReplaced},
	{name: "a stopped task is drained before SIGTERM", run: stoppingDrains},
	{name: "a task that ignores SIGTERM is killed", run: deafTasksAreKilled},
	{name: "memory is limited", run: memoryIsLimited},
	{name: "an unknown task cannot be stopped", run: unknownTasks},

	{name: "a one-off task runs once and gives its exit code", run: oneOffsGiveExitCodes},
	{name: "a one-off task is stopped at its limit", run: oneOffsAreLimited},
	{name: "a one-off task can be stopped", run: oneOffsCanBeStopped},
	{name: "a one-off task runs once, however often it is asked for", run: oneOffsRunOnce},
	{name: "a one-off task tells how it ended", run: oneOffsTellHowTheyEnded},

	{name: "a program is attached with its streams apart and its bytes as they are", run: attachedStreams},
	{name: "a program is attached to a terminal that has a size and keys", run: attachedTerminal},
	{name: "an attached program waits for a task that begins", run: attachedEarly},
	{name: "an attached program ends with who attached it", run: attachedEnds},
	{name: "a joined program has its streams apart, and all of it is in its log", run: joinedStreams},
	{name: "a joined program has a terminal with a size and keys", run: joinedTerminal},
	{name: "a joined program that ends at once loses nothing", run: joinedQuick},
	{name: "a joined program ends with who has joined it", run: joinedEnds},
	{name: "a joined program is joined once, and others are attached beside it", run: joinedOnce},
	{name: "a joined program that cannot be run tells why", run: joinedUnrun},
	{name: "a joined program ends where its engine is opened anew", run: joinedAndAdopted},
	{name: "a line can be told in a task's log, first of all too", run: linesAreTold},

	{name: "logs have what tasks wrote and what became of them", run: logsAreComplete},
	{name: "a task that writes a lot and ends at once loses no line", run: burstsAreComplete},
	{name: "following a task ends with it", run: followingEnds},
	{name: "lines are selected by time and number", run: linesAreSelected},

	{name: "a new engine adopts the tasks of a closed one", run: tasksAreAdopted},
	{name: "a task that ends while no engine looks is noticed", run: endsAreNoticedLater},
	{name: "one-off tasks are adopted", run: oneOffsAreAdopted},

	{name: "removing a stage removes all that it has", run: stagesAreRemoved},
	{name: "removing an app removes its logs", run: appsAreRemoved},
	{
		name: "stages cannot reach each other", run: stagesAreApart,
		needs: func(h Harness) bool { return h.Isolates },
	},

	{name: "private names reach the apps of a stage", run: privateNamesAnswer, needs: hasFronts},
	{name: "private names of another stage are unknown and out of reach", run: privateNamesAreOfAStage, needs: hasFronts},
	{name: "a private name that is taken away is gone", run: privateNamesGo, needs: hasFronts},
	{name: "private names survive a restart of the engine", run: privateNamesSurvive, needs: hasFronts},
}

func hasFronts(h Harness) bool { return h.Fronts }
