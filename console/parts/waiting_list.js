// The waiting list: rows come as values, ages tick here, j/k and the arrows walk, Enter opens (rows are links).
export default {
  template: `
    <div class="w-list" role="list" aria-label="Danh sách phiếu" v-if="rows.length">
      <a v-for="row in rows" :key="row.code" role="listitem" :href="'/console/tickets/' + row.code" class="w-row"
         :class="row.priority" :data-mark="'ticket-' + row.code">
        <div class="w-age"><small>chờ</small>{{ age(row.created) }}
          <small :class="{ 'w-late': row.due < moment }">{{ row.due < moment ? 'quá hạn ' + row.due_clock : 'hạn ' + row.due_clock }}</small></div>
        <div class="w-main">
          <div class="w-question">{{ row.question }}</div>
          <div class="w-why"><span v-if="row.priority_vi" class="c-chip" :class="row.priority === 'emergency' ? 'red' : 'amber'">{{ row.priority_vi }}</span>
            <b>{{ row.code }}</b> · {{ row.kind }} · {{ row.reason }}</div>
        </div>
        <div class="w-side">{{ row.channel }}<template v-if="row.subject"> · {{ row.subject }}</template><br><b v-if="row.unit">{{ row.unit }}</b></div>
        <div class="w-side"><span class="c-chip" :class="row.state_colour">{{ row.state }}</span><br><b v-if="row.taken_by">{{ row.taken_by }}</b></div>
      </a>
    </div>
    <div v-else class="c-sheet c-empty" data-mark="nobody-waits">{{ empty }}</div>`,
  props: { rows: Array, now: Number, empty: String },
  data() { return { moment: this.now, skew: this.now - Date.now() / 1000 }; },
  watch: { now(value) { this.skew = value - Date.now() / 1000; this.moment = value; } },
  mounted() {
    this.timer = setInterval(() => { this.moment = Date.now() / 1000 + this.skew; }, 5000);
    document.addEventListener("keydown", this.walk);
  },
  unmounted() { clearInterval(this.timer); document.removeEventListener("keydown", this.walk); },
  methods: {
    age(created) {
      const minutes = Math.max(0, Math.floor((this.moment - created) / 60));
      if (minutes < 1) return "< 1 phút";
      if (minutes < 60) return minutes + " phút";
      if (minutes < 2880) return Math.floor(minutes / 60) + " giờ " + (minutes < 600 ? (minutes % 60) + "’" : "");
      return Math.floor(minutes / 1440) + " ngày";
    },
    walk(event) {
      if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
      const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
      if (!step || event.target.closest?.(".q-dialog, .q-menu")) return;
      const all = [...this.$el.parentElement.querySelectorAll("a.w-row")];
      if (!all.length) return;
      const at = all.indexOf(document.activeElement);
      all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + step))].focus();
      event.preventDefault();
    },
  },
};
