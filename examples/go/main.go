// What a robot does with forecasts: act on fresh, calibrated ones; call everything else unknown, never clear.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path"
	"time"

	"github.com/nats-io/nats.go"
)

type message struct { // A forecast or a heartbeat. What is missing in it stays zero, and zero is never clear.
	ValidUntil, at time.Time
	Calibrated     bool
	Nothing        float64
	Events         []struct{ Label string }
	Cameras        map[string]string
}

func judge(forecast, heartbeat message, camera string) (action, why string) {
	if !(time.Since(heartbeat.at) < 3*time.Second) {
		return "unknown", "no heartbeat"
	} else if state := heartbeat.Cameras[camera]; state != "online" {
		return "unknown", "the camera is " + state
	} else if !time.Now().Before(forecast.ValidUntil) {
		return "unknown", "the forecast is stale"
	} else if !forecast.Calibrated { // Nor is it where the picture is corrupt.
		return "unknown", "the forecast is not calibrated"
	}
	action = map[bool]string{true: "clear", false: "caution"}[forecast.Nothing >= 0.5]
	return action, fmt.Sprintf("nothing %.0f %%, else %v", 100*forecast.Nothing, forecast.Events)
}

func main() {
	args := append(os.Args[1:], []string{"nats://127.0.0.1:4222", "home", "yard-1"}[min(len(os.Args)-1, 3):]...)
	// For ever: a broker that is away is no reason to end, only a reason not to know.
	nc, err := nats.Connect(args[0], nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.PingInterval(time.Second))
	heard, seen := make(chan *nats.Msg, 64), map[string]message{}
	_, err1 := nc.ChanSubscribe("lookahead.v1."+args[1]+"."+args[2]+".forecast", heard)
	_, err2 := nc.ChanSubscribe("lookahead.v1."+args[1]+".heartbeat", heard)
	if err != nil || err1 != nil || err2 != nil {
		log.Fatal(err, err1, err2)
	}
	for action, last, why := "", "", ""; ; last = action {
		select {
		case next := <-heard:
			if read := (message{at: time.Now()}); json.Unmarshal(next.Data, &read) == nil {
				seen[path.Ext(next.Subject)] = read
			} // Not readable: as if it had not come.
		case <-time.After(100 * time.Millisecond):
		}
		if action, why = judge(seen[".forecast"], seen[".heartbeat"], args[2]); action != last {
			fmt.Println(time.Now().UTC().Format(time.RFC3339Nano), action+":", why)
		}
	}
}
