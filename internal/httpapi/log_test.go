package httpapi

import (
	"reflect"
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
	if err := goOn(&q, id); err != nil || !reflect.DeepEqual(q, engine.LogQuery{TaskID: "7a5c", Behind: map[string]engine.LogPosition{"7a5c": lineOfATask.End}}) {
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
		if err := goOn(&q, lineID(lineOfATask)); err != nil || !q.After.Equal(want) || q.Limit != 0 || q.Behind != nil {
			t.Errorf("%+v, %v", q, err)
		}
	}
}

func TestALogDoesNotGoOnBehindWhatIsNotInIt(t *testing.T) {
	for _, id := range []string{"x", "/", "2026-03-17T09:58:34Z/7a5c", "2026-03-17T09:58:34Z/7a5c/", "x/7a5c/2.30", "2026-03-17T09:58:34Z/other/2.30"} {
		q := engine.LogQuery{TaskID: "7a5c", Limit: 250}
		if err := goOn(&q, id); !setops.IsCode(err, setops.ValidationFailed) || !reflect.DeepEqual(q, engine.LogQuery{TaskID: "7a5c", Limit: 250}) {
			t.Errorf("%s: %+v, %v", id, q, err)
		}
	}
	q := engine.LogQuery{Limit: 250}
	if err := goOn(&q, ""); err != nil || q.Limit != 250 {
		t.Errorf("%+v, %v", q, err)
	}
}

func TestALogGoesOnBehindWhatWasHadOfEachTask(t *testing.T) {
	since := time.Date(2026, 3, 17, 9, 58, 32, 5, time.UTC)
	f := logFollow{Behind: "2026-03-17T09:58:32.000000005Z,7a5c/2.30,55a9/1.7", LastEventID: lineID(lineOfATask)}
	q := engine.LogQuery{Limit: 250}
	want := engine.LogQuery{Since: since, Behind: map[string]engine.LogPosition{"7a5c": {Segment: 2, Offset: 30}, "55a9": {Segment: 1, Offset: 7}}}
	if err := f.goOn(&q); err != nil || !reflect.DeepEqual(q, want) {
		t.Errorf("%+v, %v", q, err)
	}
	f.Behind = "2026-03-17T09:58:32.000000005Z"
	if err := f.goOn(&q); err != nil || !q.Since.Equal(since) || len(q.Behind) != 0 {
		t.Errorf("%+v, %v", q, err)
	}
	for _, f.Behind = range []string{"x", "2026,7a5c/2.30", "2026-03-17T09:58:32Z,7a5c", "2026-03-17T09:58:32Z,7a5c/2"} {
		if err := f.goOn(&q); !setops.IsCode(err, setops.ValidationFailed) {
			t.Errorf("%s: %v", f.Behind, err)
		}
	}
}
