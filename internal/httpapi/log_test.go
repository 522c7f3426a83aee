package httpapi

import (
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

var lineOfATask = engine.LogLine{
	Time: time.Date(2026, 3, 17, 10, 58, 34, 5, time.FixedZone("CET", 3600)), TaskID: "7a5c", End: engine.LogPosition{Segment: 2, Offset: 30},
}

func TestTheLogOfATaskGoesOnExactlyBehindALine(t *testing.T) {
	id := lineID(lineOfATask)
	if id != "2026-03-17T09:58:34.000000005Z/7a5c/2.30" {
		t.Errorf("the id is %s", id)
	}
	q := engine.LogQuery{TaskID: "7a5c", Limit: 250}
	if err := goOn(&q, id); err != nil || q != (engine.LogQuery{TaskID: "7a5c", From: lineOfATask.End}) {
		t.Errorf("%+v, %v", q, err)
	}
}

func TestTheLogOfAllTasksGoesOnABitBefore(t *testing.T) {
	since := time.Date(2026, 3, 17, 9, 58, 32, 5, time.UTC)
	for _, after := range []time.Time{{}, since.Add(-time.Hour), since.Add(time.Second)} {
		q := engine.LogQuery{After: after, Limit: 250}
		want := since
		if after.After(since) {
			want = after
		}
		if err := goOn(&q, lineID(lineOfATask)); err != nil || !q.After.Equal(want) || q.Limit != 0 || q.From != (engine.LogPosition{}) {
			t.Errorf("%+v, %v", q, err)
		}
	}
}

func TestALogDoesNotGoOnBehindWhatIsNotInIt(t *testing.T) {
	for _, id := range []string{"x", "/", "2026-03-17T09:58:34Z/7a5c", "2026-03-17T09:58:34Z/7a5c/", "x/7a5c/2.30", "2026-03-17T09:58:34Z/other/2.30"} {
		q := engine.LogQuery{TaskID: "7a5c", Limit: 250}
		if err := goOn(&q, id); !setops.IsCode(err, setops.ValidationFailed) || q != (engine.LogQuery{TaskID: "7a5c", Limit: 250}) {
			t.Errorf("%s: %+v, %v", id, q, err)
		}
	}
	q := engine.LogQuery{Limit: 250}
	if err := goOn(&q, ""); err != nil || q.Limit != 250 {
		t.Errorf("%+v, %v", q, err)
	}
}
