// What was said, oldest first. New messages are appended and changed ones replaced; nothing else is redrawn.
export default {
  template: `
    <div class="h-box" ref="box" role="log" aria-label="Nội dung hội thoại" tabindex="0" @scroll="scrolled">
      <div v-if="!all.length" class="c-empty">Chưa có tin nhắn.</div>
      <template v-for="(one, at) in all" :key="one.id">
        <div class="h-day" v-if="at === 0 || all[at - 1].day !== one.day">{{ one.day }}</div>
        <div class="h-msg" :class="[one.author, one.ours ? 'ours' : '', one.channel ? 'elsewhere' : '']" :data-mark="'message-' + one.id">
          <div class="h-head"><span v-if="one.channel" class="h-channel">{{ one.channel }}</span>{{ one.who }} · {{ one.clock }}</div>
          <div class="h-text">{{ one.text }}<template v-for="file in one.files"><br v-if="one.text">
            <a v-if="file.url" :href="file.url" target="_blank" rel="noopener noreferrer">{{ file.name }}</a><span v-else>{{ file.name }}</span></template></div>
          <div class="h-foot" v-if="one.choices.length"><span class="h-choice" v-for="choice in one.choices">{{ choice }}</span></div>
          <div class="h-foot">
            <span v-if="one.ticket">Phiếu {{ one.ticket }}</span>
            <span v-if="one.helpful === true">👍 Người dân thấy hữu ích</span><span v-if="one.helpful === false" class="bad">👎 Chưa đúng ý</span>
            <span v-if="one.decided">{{ one.decided }}</span>
            <button v-if="one.decided" type="button" class="h-btn" :data-mark="'why-' + one.id" @click="$emit('why', one.id)">Vì sao?</button>
            <span v-if="one.delivery" :class="{ bad: one.stuck }" :data-mark="'delivery-' + one.id">{{ one.delivery }}<template v-if="one.failure">: {{ one.failure }}</template></span>
            <span v-if="one.call" :class="one.told ? 'told' : 'bad'" :data-mark="'call-state-' + one.id">{{ one.call }}</span>
            <button v-if="one.again" type="button" class="h-btn" :data-mark="'again-' + one.id" @click="$emit('again', one.id)">Gửi lại</button>
            <button v-if="one.phone" type="button" class="h-btn" :data-mark="'call-' + one.id" @click="$emit('call', one.id)">{{ one.call ? 'Ghi kết quả gọi' : 'Chuyển sang gọi điện' }}</button>
          </div>
        </div>
      </template>
      <button v-if="unseen" type="button" class="h-new" @click="toEnd">Tin mới ↓</button>
    </div>`,
  props: { messages: Array },
  data() { return { all: [...this.messages], unseen: false }; },
  mounted() { this.toEnd(); },
  methods: {
    put(messages) {
      const atEnd = this.atEnd();
      let added = false;
      for (const one of messages) {
        const at = this.all.findIndex((known) => known.id === one.id);
        if (at >= 0) this.all[at] = one;
        else { // linked conversations have their own order of arrival
          const next = this.all.findIndex((known) => known.id > one.id);
          this.all.splice(next < 0 ? this.all.length : next, 0, one);
          added = true;
        }
      }
      if (added && atEnd) this.$nextTick(this.toEnd);
      else if (added) this.unseen = true;
    },
    replace(messages) { this.all = [...messages]; this.$nextTick(this.toEnd); },
    atEnd() { const box = this.$refs.box; return box.scrollHeight - box.scrollTop - box.clientHeight < 80; },
    toEnd() { const box = this.$refs.box; box.scrollTop = box.scrollHeight; this.unseen = false; },
    scrolled() { if (this.atEnd()) this.unseen = false; },
  },
};
